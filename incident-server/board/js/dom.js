// Builds elements. Strings become text nodes or attribute values: there is no way to pass markup, so the
// text of a report stays text.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element; `attributes` that are null, undefined or false are left out. */
export function html(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** An SVG element. */
export function svg(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

/** Text that somebody wrote, kept apart from the direction of the text around it. */
export function written(text) {
  return html("bdi", { dir: "auto" }, text);
}

/** The element with this id, which is part of the page. */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/** Changes the text only where it differs, so that nothing is announced or painted twice. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
