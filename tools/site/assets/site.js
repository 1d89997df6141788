/* What the theme leaves to readers who have a keyboard, or listen: a table that scrolls is reached by it, and the tools
   of each piece of code have a name of their own. The theme puts both into the page after it was read. */
"use strict";

(() => {
  let named = 0;
  const mend = () => {
    for (const table of document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])")) {
      table.tabIndex = 0;
    }
    for (const tools of document.querySelectorAll(".md-code__nav:not([aria-label])")) {
      named += 1;
      tools.setAttribute("aria-label", "Tools of code " + named);
    }
  };
  new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
  mend();
})();
