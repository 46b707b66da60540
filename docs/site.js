// What the theme leaves unsaid: the search has a name, and what scrolls by itself says so, and is reached by keyboard.
document.querySelector(".md-search")?.setAttribute("aria-label", "Search");

const BOXES = "article :is(pre > code, .md-typeset__scrollwrap, p:has(> img))";
const markScrolling = () => {
  for (const box of document.querySelectorAll(BOXES)) {
    const scrolls = box.scrollWidth > box.clientWidth;
    if (scrolls) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
    box.classList.toggle("scrolls", scrolls);
  }
};
addEventListener("load", markScrolling); // by then the theme has put tables into boxes
addEventListener("resize", markScrolling);
addEventListener("toggle", markScrolling, true); // of a fold
