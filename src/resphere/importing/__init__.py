"""Inventories of others, and of this server, in other forms: read into plain rows, built into documents.

A source (`sources/`) reads a file, a folder or a server into :class:`~resphere.importing.rows.Rows`; `building/` makes
of those the documents that an inventory file has. Both tell a :class:`~resphere.importing.report.Report` what they
took, guessed and left.
"""
