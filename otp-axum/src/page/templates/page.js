// Keeps what moves up to date while the page is seen. Without it a reload shows the same.
(() => {
  // On a phone the tabs are wider than the screen.
  document.querySelector(".bar nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  const regions = [...document.querySelectorAll("[data-live]")];
  if (!regions.length) return;
  const say = document.getElementById("say");
  const EVERY = 5000, SLOWEST = 60000, PATIENCE = 8000;
  let wait = EVERY, timer;

  const busy = (region) => {
    const selection = getSelection();
    return region.contains(document.activeElement)
      || (!selection.isCollapsed && region.contains(selection.anchorNode));
  };

  const take = (page) => {
    for (const region of regions) {
      const fresh = page.querySelector(`[data-live="${region.dataset.live}"]`);
      if (!fresh || busy(region) || fresh.textContent === region.textContent) continue;
      region.className = fresh.className;
      region.replaceChildren(...fresh.childNodes);
      if ("say" in region.dataset) say.textContent = region.textContent.replace(/\s+/g, " ");
    }
    document.title = page.title;
  };

  const ended = () => {
    document.getElementById("old").remove();
    const note = document.createElement("div");
    const link = document.createElement("a");
    note.className = "notice ended";
    note.setAttribute("role", "alert");
    link.href = location.href;
    link.textContent = "Sign in again";
    note.append("Your session has ended. ", link);
    document.getElementById("main").prepend(note);
    document.body.classList.add("stale");
  };

  const look = async () => {
    if (document.hidden) return;
    try {
      const headers = { "x-live": "1", accept: "text/html" };
      // A server that hangs is one that does not answer.
      const signal = AbortSignal.timeout(PATIENCE);
      const answer = await fetch(location.href, { headers, signal, cache: "no-store", redirect: "error" });
      if (answer.status === 401) return ended();
      if (!answer.ok) throw new Error(answer.status);
      take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      document.body.classList.remove("stale");
      wait = EVERY;
    } catch {
      if (!document.body.classList.contains("stale")) say.textContent = "The figures are old: nothing answers.";
      document.body.classList.add("stale");
      wait = Math.min(wait * 2, SLOWEST);
    }
    timer = setTimeout(look, wait);
  };

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) look();
  });
  document.body.classList.add("moves");
  timer = setTimeout(look, wait);
})();
