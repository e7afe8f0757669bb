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

  const swap = (part, fresh) => {
    if (busy(part)) return;
    if (part.dataset.key !== undefined) {
      if (part.dataset.key !== fresh.dataset.key) part.replaceWith(document.adoptNode(fresh));
      return;
    }
    if (part.innerHTML === fresh.innerHTML) return;
    const open = [...part.querySelectorAll("details")].map((one) => one.open);
    part.replaceChildren(...fresh.childNodes);
    part.querySelectorAll("details").forEach((one, index) => { if (index in open) one.open = open[index]; });
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
    const fresh = new Map([...page.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    const known = [...document.querySelectorAll("[data-part]")];
    // A part that is new, or gone, changes what stands around it: then only the whole page is right.
    const names = new Set(known.map((part) => part.dataset.part));
    const same = names.size === fresh.size && [...fresh.keys()].every((name) => names.has(name));
    const main = document.getElementById("main");
    if (!same && !busy(main)) {
      const open = new Set([...main.querySelectorAll("details[id][open]")].map((one) => one.id));
      main.replaceChildren(...page.getElementById("main").childNodes);
      open.forEach((id) => { const one = document.getElementById(id); if (one) one.open = true; });
    } else {
      known.filter((part) => part.isConnected).forEach((part) => {
        const counterpart = fresh.get(part.dataset.part);
        if (counterpart) swap(part, counterpart);
      });
    }
    document.title = page.title;
    const seconds = page.body.dataset.live;
    if (seconds) document.body.dataset.live = seconds; else delete document.body.dataset.live;
    followLogs();
  };

  const poll = async () => {
    const seconds = Number(document.body.dataset.live);
    if (!seconds) return;
    if (!document.hidden) {
      try {
        const answer = await fetch(location.href, { headers: { "X-Lockstep-Live": "1" }, cache: "no-store" });
        if (answer.status === 401) { location.reload(); return; }
        if (answer.ok) refresh(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } catch { /* The service restarts, or the network is away: the next round asks again. */ }
    }
    setTimeout(poll, seconds * 1000);
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
    if (!ended) setTimeout(() => follow(log), 1000);
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
