// Each view of the page that does not work yet, once, and how its parts are found.
const awake = work => document.querySelectorAll(".$name:not([data-awake])").forEach(root => {
  root.dataset.awake = "";
  work(root, what => root.querySelector(what));
});
const talk = (root, {written, show, busy, pause = 500}) => {
  let said = "", unsaid = false, timer;   // what Python knows

  // Python listens to a hidden text field in the same output; the nearest one is this view's own.
  const field = () => {
    for (let at = root; at; at = at.parentElement) {
      const found = at.querySelector(".$name-heard textarea");
      if (found) return found;
    }
  };
  const say = () => {
    const text = field();
    unsaid = !text;
    root.querySelector(".deaf").hidden = !unsaid;
    if (unsaid) return;
    said = text.value = written();
    for (const kind of ["input", "change"]) text.dispatchEvent(new Event(kind, {bubbles: true}));
  };
  const hear = () => {                    // now and then: has Python something else?
    clearTimeout(timer);
    if (root.isConnected) timer = setTimeout(hear, pause);
    const text = field();
    if (!text || busy()) return;
    if (unsaid) say();
    else if (text.value !== said) show(said = text.value);
  };
  root.onpointerenter = hear;
  setTimeout(hear);                       // once all of the page is there
  return say;
};
