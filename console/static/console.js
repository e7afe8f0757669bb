// Keeps a page true while it is open: asks for it again and swaps the parts that changed; follows logs.
// Everything works without this file, by reloading.
"use strict";

(() => {
  const PIECES_KEPT = 5000;

  // A part is left alone while a person is in it: a form that is being filled in must not be swapped away.
  const busy = (part) => {
    if (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) return true;
    return [...part.querySelectorAll("input:not([type=hidden])")].some((input) => input.value !== input.defaultValue);
  };

  const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset.part || node.id : "");
  // What a click would do: a button that means something else now is another button, and must not keep the focus.
  const meaning = (node) => ["href", "action", "name", "value"].map((name) => node.getAttribute(name)).join("\n");
  const alike = (old, fresh) => old.nodeName === fresh.nodeName
    && (old.nodeType !== Node.ELEMENT_NODE || !old.matches("a, form, button") || meaning(old) === meaning(fresh));

  // Makes the old node say what the fresh one says, and touches nothing that says it already: focus, selection and
  // scrolling stay where they are.
  const morph = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) { if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue; return; }
    if (old.dataset.log !== undefined || (old.dataset.part !== undefined && busy(old))) return;
    if (old.dataset.key !== fresh.dataset.key) { old.replaceWith(fresh); return; }
    for (const { name, value } of fresh.attributes) {
      if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    reconcile(old, fresh);
  };

  const reconcile = (old, fresh) => {
    const named = new Map([...old.children].filter(keyOf).map((node) => [keyOf(node), node]));
    let at = old.firstChild;
    for (const one of [...fresh.childNodes]) {
      const key = keyOf(one);
      const same = key ? named.get(key) : at && !keyOf(at) && alike(at, one) ? at : null;
      if (!same || !alike(same, one)) { old.insertBefore(one, at); continue; }
      if (same === at) at = at.nextSibling; else old.insertBefore(same, at);
      morph(same, one);
    }
    while (at) {
      const next = at.nextSibling;
      // What was just done stays said; a form that somebody is filling in stays theirs.
      if (at.nodeType !== Node.ELEMENT_NODE || !(at.classList.contains("said") || busy(at))) at.remove();
      at = next;
    }
  };

  // On a narrow screen a row becomes a card: each cell carries the name of its column (console.css shows it).
  const label = (root) => {
    root.querySelectorAll("table.stacking").forEach((table) => {
      const names = [...table.querySelectorAll("thead th")].map((head) => head.textContent);
      table.querySelectorAll("tbody tr").forEach((row) => {
        let column = 0;
        for (const cell of row.cells) {
          if (cell.tagName === "TD" && cell.colSpan === 1 && !cell.classList.contains("actions")) cell.dataset.label = names[column];
          column += cell.colSpan;
        }
      });
      table.classList.add("labelled");
    });
  };

  const refresh = (page) => {
    label(page);
    const held = document.activeElement;
    const [tag, does] = [held.nodeName, held.matches("a, button") ? meaning(held.closest("form") || held) + meaning(held) : ""];
    reconcile(document.getElementById("main"), page.getElementById("main"));
    const nav = document.querySelector(".top nav");
    if (nav && page.querySelector(".top nav")) reconcile(nav, page.querySelector(".top nav"));
    if (does && !held.isConnected) {
      const again = [...document.querySelectorAll(tag)].find((one) => meaning(one.closest("form") || one) + meaning(one) === does);
      if (again) again.focus({ preventScroll: true });
    }
    document.title = page.title;
    const seconds = page.body.dataset.live;
    if (seconds) document.body.dataset.live = seconds; else delete document.body.dataset.live;
    followLogs();
  };

  // Whoever asks rests ten times as long as the answer took: many browsers together slow themselves down, and
  // leave the service its threads.
  const rest = (seconds, since) => Math.max(seconds * 1000, 10 * (performance.now() - since));

  const poll = async () => {
    const seconds = Number(document.body.dataset.live);
    if (!seconds) return;
    const since = performance.now();
    if (!document.hidden) {
      try {
        const answer = await fetch(location.href, { headers: { "X-Lockstep-Live": "1" }, cache: "no-store" });
        if (answer.status === 401) { location.reload(); return; }
        if (answer.ok) refresh(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } catch { /* The service restarts, or the network is away: the next round asks again. */ }
    }
    setTimeout(poll, rest(seconds, since));
  };

  const write = (log, pieces) => {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    for (const piece of pieces) {
      const key = `${piece.attempt}/${piece.step}`;
      if (log.dataset.step !== key) {
        log.dataset.step = key;
        const head = document.createElement("span");
        head.className = "step";
        head.textContent = piece.attempt > 1 ? `── ${piece.step} #${piece.attempt}` : `── ${piece.step}`;
        log.append(head);
      }
      log.append(piece.text);
      log.dataset.after = piece.id;
    }
    while (log.childNodes.length > PIECES_KEPT) log.firstChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  };

  const follow = async (log) => {
    if (!log.isConnected || !log.closest("details").open) { delete log.dataset.following; return; }
    const since = performance.now();
    let ended = false;
    try {
      const address = log.dataset.after === undefined ? log.dataset.log : `${log.dataset.log}?after=${log.dataset.after}`;
      const answer = await fetch(address, { headers: { "X-Lockstep-Live": "1" }, cache: "no-store" });
      if (answer.ok) {
        const body = await answer.json();
        write(log, body.pieces);
        ended = body.ended && body.pieces.length === 0;
      }
    } catch { /* Asked again below. */ }
    if (!ended) setTimeout(() => follow(log), rest(1, since));
  };

  const followLogs = () => {
    document.querySelectorAll("pre[data-log]").forEach((log) => {
      if (log.closest("details").open && log.dataset.following === undefined) {
        log.dataset.following = "";
        follow(log);
      }
    });
  };

  const openNamed = () => {
    const named = location.hash && document.getElementById(location.hash.slice(1));
    if (named instanceof HTMLDetailsElement) named.open = true;
  };

  document.addEventListener("toggle", followLogs, true);
  window.addEventListener("hashchange", openNamed);
  label(document);
  openNamed();
  followLogs();
  if (document.body.dataset.live) setTimeout(poll, Number(document.body.dataset.live) * 1000);
})();
