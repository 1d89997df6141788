"""Documents -> the sheets of a workbook as RVTools writes it, as far as the inventory knows what they tell."""
