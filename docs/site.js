// What the theme leaves unsaid: the search has a name, and what scrolls by itself is reached by keyboard.
document.querySelector(".md-search")?.setAttribute("aria-label", "Search");

const BOXES = "article :is(pre > code, .md-typeset__scrollwrap, p:has(> img))";
const markScrolling = () => {
  for (const box of document.querySelectorAll(BOXES)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
addEventListener("load", markScrolling); // by then the theme has put tables into boxes
addEventListener("resize", markScrolling);
addEventListener("toggle", markScrolling, true); // of a fold
