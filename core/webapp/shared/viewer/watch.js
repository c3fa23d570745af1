// Watches over a page: goes to a new photo's answer, asks for what this tab had in use before a reload, and says when the server is gone
// and when it came back without that.
const KEPT = "melascope session";
const LOST = "The app was started again, or was left for long, and photos are kept in its memory only: choose your photo again (a name that " +
  "the upload box still shows is of before). A session file brings all cases back (“This session”), a case bundle one (“Replay a saved case”).";
const GONE = "Melascope does not answer: it was stopped, or the network is down. What is on this page is of before. Start it again " +
  "(“make run”); the page goes on by itself.";
let last = null, asked = false, moved = 0;
for (const kind of ["wheel", "touchstart", "pointerdown", "keydown"])
  addEventListener(kind, () => { moved = performance.now(); }, { capture: true, passive: true });

export default function ({ data, parentElement, setTriggerValue }) {
  const place = parentElement.said ??= Object.assign(document.createElement("p"), { role: "status" });
  if (!place.isConnected) parentElement.append(place);
  let kept = null;
  try { kept = sessionStorage.getItem(KEPT); } catch { /* storage is off: nothing is asked for */ }
  const again = last === null || last.session !== data.session;
  place.textContent = data.lost ? LOST : "";
  // On a phone the page still stands where the answer was: without this nobody would see why it is gone.
  if (data.lost && !last?.lost) setTimeout(() => place.scrollIntoView({ block: "center" }), 500);
  if (data.photo && data.photo !== last?.photo) go();
  if (again && !data.kept && kept && kept !== data.session) setTriggerValue("restore", kept);
  else try {
    if (data.kept) sessionStorage.setItem(KEPT, data.session);
    else if (!again) sessionStorage.removeItem(KEPT);
  } catch { /* as above */ }
  last = data;
  watch(() => setTriggerValue("again", Date.now()));
}

// On a phone, to the photo and its answer; on a wide screen they are in sight.
function go(tries = 600) {
  const found = document.querySelector(".st-key-case");
  if (!found || !document.querySelector(".st-key-answer, .st-key-gate")) { if (tries) setTimeout(() => go(tries - 1), 100); return; }
  // What is below grows for a moment yet: without it there is nothing to scroll by.
  setTimeout(() => { if (innerWidth < 700 && found.getBoundingClientRect().top > innerHeight / 5) stay(performance.now()); }, 300);
}

// What is above may change for a moment yet, and move the photo out of sight: until then, or until the reader moves, it is brought back.
function stay(since, looks = 6) {
  const found = document.querySelector(".st-key-case");
  if (!found || moved > since || !looks) return;
  const top = found.getBoundingClientRect().top;
  if (top < 0 || top > innerHeight / 5) found.scrollIntoView({ block: "start" });
  setTimeout(() => stay(since, looks - 1), 200);
}

function watch(rerun) {
  if (asked) return;
  asked = true;
  const app = document.querySelector(".stApp");
  let gone = false;
  const banner = Object.assign(document.createElement("div"), { className: "melascope-gone", role: "alert" });
  const look = () => {
    const connected = app.dataset.testConnectionState === "CONNECTED";
    if (!connected && !gone) {
      gone = true;
      setTimeout(() => { if (gone) { banner.textContent = GONE; document.body.append(banner); } }, 1500);
    } else if (connected && gone) {
      gone = false;
      banner.remove();
      setTimeout(rerun, 300);  // else what is on the page would be of the server before
    }
    // Streamlit's own words are for those who write apps. Hidden, not removed: the page itself takes the dialog away later.
    for (const dialog of document.querySelectorAll("[role=dialog]"))
      if (/Is Streamlit still running|yourscript/.test(dialog.textContent))
        (dialog.closest("[data-baseweb=modal], [data-testid=stDialog]") ?? dialog).style.setProperty("display", "none", "important");
  };
  new MutationObserver(look).observe(app, { attributes: true, attributeFilter: ["data-test-connection-state"] });
  new MutationObserver(look).observe(document.body, { childList: true });
}
