// Adds the filter box: without scripts the page is the whole list. Every word must occur.
"use strict";

const box = document.createElement("input");
box.id = "filter";
box.type = "search";
box.placeholder = "Filter";
box.setAttribute("aria-label", "Filter functions");
document.querySelector("nav h1").after(box);

const texts = new Map();
for (const article of document.querySelectorAll("article")) {
  texts.set(article, article.textContent.toLowerCase());
}

function show(element, wanted) {
  element.hidden = !wanted;
}

box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const [article, text] of texts) {
    const wanted = words.every((word) => text.includes(word));
    show(article, wanted);
    const link = document.querySelector(`nav a[href="#${CSS.escape(article.id)}"]`);
    if (link) show(link.parentElement, wanted);
  }
  for (const section of document.querySelectorAll("main section")) {
    const articles = [...section.querySelectorAll("article")];
    show(section, articles.length === 0 || articles.some((article) => !article.hidden));
  }
  for (const group of document.querySelectorAll("nav details")) {
    show(group, group.querySelector("li:not([hidden])") !== null);
    if (words.length > 0) group.open = true;
  }
});
