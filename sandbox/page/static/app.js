// The sandbox's page. It holds nothing of its own: it shows what the HTTP API says, and posts what a person does.
// Text of people reaches the page as text nodes only, never as HTML.
"use strict";

const $ = (id) => document.getElementById(id);
const app = {
  people: [], bots: [], me: null, chats: [], key: null, version: 0, shown: new Map(), drawn: "",
  reply: null, edit: null, mentions: new Map(), commands: [], decimals: 6, symbol: "JUNO",
  seen: new Map(), news: new Map(), owners: new Map(),
};

// Small tools

function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

async function call(method, path, body) {
  const answer = await fetch(`api/${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const content = await answer.json().catch(() => null);
  await untilReleased();
  if (!answer.ok) throw new Error(explained(content, answer.status));
  return content;
}

// A press takes a while, and the browser drops it when what was pressed is drawn anew meanwhile. So answers wait for its end.
let released = Promise.resolve();

const untilReleased = () => Promise.race([released, pause(LONGEST_PRESS_MS)]);

const LONGEST_PRESS_MS = 3000;

function watchPresses() {
  let release = () => {};
  document.addEventListener("pointerdown", () => { released = new Promise((done) => { release = done; }); }, true);
  // The click follows pointerup, in a task of its own.
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { setTimeout(release); }, true);
}

function explained(content, status) {
  const detail = content && content.detail;
  if (Array.isArray(detail)) return detail.map((each) => each.msg).join("; ");
  return detail || `The sandbox answered ${status}.`;
}

async function attempt(act) {
  try {
    return await act();
  } catch (error) {
    toast(error.message, "bad");
    return null;
  }
}

const get = (path) => call("GET", path);
const post = (path, body = {}) => call("POST", path, body);
const here = (rest = "") => `people/${app.me.id}/chats/${encodeURIComponent(app.key)}${rest}`;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function toast(text, kind = "") {
  const node = h("div", { class: `toast ${kind}` }, text);
  $("toasts").append(node);
  setTimeout(() => node.classList.add("gone"), 3600);
  setTimeout(() => node.remove(), 4000);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "offscreen" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast(`Copied ${text.length > 40 ? `${text.slice(0, 18)}…${text.slice(-8)}` : text}`);
}

// Draws a list anew. What is equal stays the same node, and the keyboard's place in it.
function redraw(list, nodes) {
  nodes.forEach((node, index) => {
    const known = list.children[index];
    if (!known) list.append(node);
    else if (!known.isEqualNode(node)) known.replaceWith(node);
  });
  while (list.children.length > nodes.length) list.lastElementChild.remove();
}

const hue = (id) => (Math.abs(Number(id)) * 47) % 360;
const initials = (name) => name.split(/\s+/).map((word) => [...word][0] || "").slice(0, 2).join("").toUpperCase();
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function avatar(person, extra = "") {
  const node = h("span", { class: `avatar ${extra}`, "aria-hidden": "true" }, initials(person.name || person.title));
  node.style.setProperty("--hue", hue(person.id));
  return node;
}

// Formatted text: entities are nested by their offsets, which count UTF-16 units as JavaScript does

function formatted(text, entities) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return span(text, sorted, 0, text.length);
}

function span(text, entities, start, end) {
  const nodes = [];
  let at = start;
  for (let index = 0; index < entities.length; index += 1) {
    const entity = entities[index];
    if (entity.offset < at || entity.offset >= end) continue;
    const stop = Math.min(entity.offset + entity.length, end);
    const block = BLOCKS.has(entity.type); // a block breaks the line by itself
    const before = text.slice(at, entity.offset);
    if (before) nodes.push(block ? before.replace(/\n$/, "") : before);
    nodes.push(dressed(entity, text.slice(entity.offset, stop), span(text, entities.slice(index + 1), entity.offset, stop)));
    at = block && text[stop] === "\n" ? stop + 1 : stop;
  }
  if (at < end) nodes.push(text.slice(at, end));
  return nodes;
}

const TAGS = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote", expandable_blockquote: "blockquote" };

const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);

function dressed(entity, text, inner) {
  if (TAGS[entity.type]) {
    const copied = entity.type === "code" ? { class: "copyable", title: "Copy", onclick: () => copy(text) } : {};
    return h(TAGS[entity.type], copied, ...inner);
  }
  if (entity.type === "spoiler") {
    return h("span", { class: "spoiler", onclick: (event) => event.currentTarget.classList.add("open") }, ...inner);
  }
  if (entity.type === "text_link" || entity.type === "url") return link(entity.url || text, inner);
  if (entity.type === "bot_command") return h("button", { type: "button", class: "command", onclick: () => compose(`${text} `) }, ...inner);
  if (entity.type === "date_time") {
    const when = new Date(entity.unix_time * 1000);
    return h("time", { datetime: when.toISOString(), title: when.toLocaleString() }, ...inner);
  }
  return h("span", { class: "mention" }, ...inner);
}

function link(url, inner) {
  if (!/^https?:\/\//i.test(url)) return h("span", { class: "mention" }, ...inner);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...inner);
}

// People and chats

async function loadPeople() {
  [app.people, app.bots] = await Promise.all([get("people"), get("bots")]);
  const wanted = Number(new URLSearchParams(location.hash.slice(1)).get("me"));
  become(app.people.find((person) => person.id === (app.me ? app.me.id : wanted)) || app.people[0] || null);
}

function become(person) {
  app.me = person;
  if (!person) return;
  $("wallet-owner").textContent = `${person.name}’s`;
  $("memo").value = String(person.id);
  drawPeople();
}

function drawPeople() {
  redraw($("people"), app.people.map((person) => h(
    "button",
    { type: "button", "data-id": person.id, role: "radio", "aria-checked": String(person.id === app.me.id), onclick: () => play(person), title: `Be ${person.name}` },
    avatar(person), h("span", {}, person.name), app.news.get(person.id) ? h("span", { class: "dot", title: "Something new" }) : null,
  )));
  $("as").textContent = `as ${app.me.name}`;
}

async function play(person) {
  app.drawn = "";
  become(person);
  remember();
  await refresh();
  await refreshMoney();
}

function remember() {
  history.replaceState(null, "", `#me=${app.me.id}&chat=${encodeURIComponent(app.key || "")}`);
}

const place = (person, chat) => `${person} ${chat.key}`;
const unread = (person, chat) => chat.count > (app.seen.get(place(person, chat)) || 0);

// What waits for the others: people are few here, so each of them is asked.
async function lookAround() {
  for (const person of app.people.slice(0, MOST_WATCHED)) {
    const chats = person.id === app.me.id ? app.chats : await get(`people/${person.id}/chats`);
    if (!app.news.has(person.id)) for (const chat of chats) app.seen.set(place(person.id, chat), chat.count);
    app.news.set(person.id, chats.some((chat) => chat.type === "private" && unread(person.id, chat)));
  }
  drawPeople();
}

const MOST_WATCHED = 12;

async function refresh() {
  app.chats = await get(`people/${app.me.id}/chats`);
  const wanted = app.key || new URLSearchParams(location.hash.slice(1)).get("chat");
  const bot = (key) => (key || "").split(":")[1];
  const chat = app.chats.find((each) => each.key === wanted)
    || (String(wanted).startsWith("p:") && app.chats.find((each) => each.type === "private" && bot(each.key) === bot(wanted)))
    || app.chats[0];
  if (!chat) return;
  if (chat.key !== app.key) {
    app.key = chat.key;
    app.drawn = "";
    stopContext();
  }
  app.seen.set(place(app.me.id, chat), chat.count);
  drawChats();
  drawHead(chat);
  await drawMessages();
  await lookAround();
}

function drawChats() {
  redraw($("chats"), app.chats.map((chat) => h(
    "button",
    { type: "button", "data-key": chat.key, "aria-current": chat.key === app.key ? "true" : null, onclick: () => open(chat) },
    avatar({ id: chat.id, name: chat.title }, chat.type === "private" ? "" : "square"),
    h("span", { class: "grow" },
      h("span", { class: "line" }, h("b", {}, chat.title), h("span", { class: "dim" }, unread(app.me.id, chat) ? h("span", { class: "dot" }) : null, chat.last_at ? clock(chat.last_at) : "")),
      h("span", { class: "dim cut" }, chat.last || (chat.type === "private" ? "Say /start" : "No messages yet"))),
  )));
}

async function open(chat) {
  app.key = chat.key;
  app.drawn = "";
  stopContext();
  show("talk");
  remember();
  $("text").focus(); // now, not after the answers: whoever has gone on to something else meanwhile stays there
  await refresh();
}

function drawHead(chat) {
  const face = avatar({ id: chat.id, name: chat.title }, chat.type === "private" ? "" : "square");
  face.id = "chat-avatar";
  $("chat-avatar").replaceWith(face);
  $("chat-title").textContent = chat.title;
  const count = chat.members.length;
  const still = chat.type === "private" ? "bot" : `${count} members${chat.status === "creator" ? ", you own this group" : ""}`;
  $("chat-about").textContent = chat.acting.length ? "typing…" : still;
}

// Messages

async function drawMessages() {
  const [key, me] = [app.key, app.me.id];
  const messages = await get(here("/messages?limit=200"));
  if (key !== app.key || me !== app.me.id) return;
  const log = $("log");
  const fresh = app.drawn !== `${me} ${key}`;
  const low = fresh || log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  if (fresh) {
    app.shown.clear();
    app.drawn = `${me} ${key}`;
  }
  const nodes = [];
  let day = "";
  let before = null;
  for (const message of messages) {
    const date = new Date(message.at * 1000).toDateString();
    if (date !== day) nodes.push(h("div", { class: "pill" }, date === new Date().toDateString() ? "Today" : date));
    const follows = before !== null && date === day && !before.service && before.sender.id === message.sender.id && message.at - before.at < 300;
    nodes.push(drawn(message, follows));
    [day, before] = [date, message];
  }
  if (!messages.some((message) => !message.service)) nodes.push(welcome());
  for (const ref of [...app.shown.keys()]) if (!messages.some((message) => message.ref === ref)) app.shown.delete(ref);
  const same = nodes.length === log.childNodes.length && nodes.every((node, index) => node === log.childNodes[index]);
  if (!same) log.replaceChildren(...nodes);
  if (low) log.scrollTop = log.scrollHeight;
}

function drawn(message, follows) {
  const state = `${message.changed} ${follows} ${message.reply_to ? message.reply_to.text : ""}`;
  const known = app.shown.get(message.ref);
  if (known && known.state === state) return known.node;
  const node = message.service ? h("div", { class: "pill" }, message.text) : bubble(message, follows);
  if (known && !message.service && known.state.split(" ")[0] !== String(message.changed)) node.classList.add("flash");
  app.shown.set(message.ref, { state, node });
  return node;
}

function bubble(message, follows) {
  const mine = message.sender.id === app.me.id;
  const name = h("div", { class: "name" }, message.sender.name, message.sender.is_bot ? h("span", { class: "badge" }, "bot") : null);
  name.style.setProperty("--hue", hue(message.sender.id));
  const body = h("div", { class: `bubble${message.only_you ? " secret" : ""}` },
    mine || follows ? null : name,
    message.only_you ? h("div", { class: "only" }, mine ? "Only you and the bot see this" : "Only you can see this") : null,
    message.forwarded_from ? h("div", { class: "from" }, `Forwarded from ${message.forwarded_from}`) : null,
    message.via_bot ? h("div", { class: "from" }, `via ${message.via_bot}`) : null,
    message.reply_to ? quote(message.reply_to) : null,
    message.photo ? h("img", { src: message.photo, alt: "Photo", onload: settle }) : null,
    message.document ? h("a", { class: "file", href: message.document.url, download: message.document.name }, `${message.document.name} · ${message.document.size} bytes`) : null,
    message.media ? h("div", { class: "file" }, message.media) : null,
    message.text ? h("div", { class: "text" }, ...formatted(message.text, message.entities)) : null,
    h("div", { class: "foot" },
      ...message.reactions.map((each) => h("span", { class: "reaction" }, each.emoji, each.count > 1 ? ` ${each.count}` : "")),
      h("span", { class: "when" }, `${message.edited_at ? "edited " : ""}${clock(message.at)}`)));
  const rows = message.buttons.map((row, y) => h("div", { class: "keys" }, ...row.map((button, x) => key(message, button, y, x))));
  return h("article", { class: `message${mine ? " mine" : ""}${follows ? " follows" : ""}`, "data-ref": message.ref },
    mine ? null : avatar(message.sender, follows ? "hidden" : ""),
    h("div", { class: "stack" }, h("div", { class: "held" }, body, tools(message, mine)), ...rows));
}

function quote(original) {
  const jump = () => {
    const node = document.querySelector(`[data-ref="${CSS.escape(original.ref)}"]`);
    if (node) node.scrollIntoView({ block: "center", behavior: "smooth" });
  };
  return h("button", { type: "button", class: "quote", onclick: jump }, h("b", {}, original.name), h("span", {}, original.text));
}

function settle() {
  const log = $("log");
  if (log.scrollHeight - log.scrollTop - log.clientHeight < 500) log.scrollTop = log.scrollHeight;
}

function tools(message, mine) {
  const tool = (label, glyph, act) => h("button", { type: "button", title: label, "aria-label": label, onclick: act }, glyph);
  return h("div", { class: "tools" },
    message.only_you ? null : tool("Reply", "↩", () => startContext("reply", message)),
    mine && message.text && !message.only_you ? tool("Edit", "✎", () => startContext("edit", message)) : null,
    tool("Forward", "➦", () => forward(message)),
    tool("React with a thumb", "👍", () => attempt(async () => { await call("PUT", here(`/messages/${message.ref}/reaction`), { emoji: "👍" }); })),
    mine ? tool("Deliver this message to the bot a second time", "×2", () => attempt(async () => {
      await post(here(`/messages/${message.ref}/repeats`));
      toast("The bot got that message again.");
    })) : null);
}

function key(message, button, row, column) {
  const act = { callback: () => tap(message, row, column, node), copy: () => copy(button.value), url: () => openLink(button.value), other: () => {} }[button.kind];
  const node = h("button", { type: "button", onclick: act }, button.text, h("span", { class: `glyph ${button.kind}`, "aria-hidden": "true" }));
  return node;
}

function openLink(url) {
  const own = new URL(url, location.href);
  if (own.origin === location.origin && own.searchParams.has("tx")) {
    showTx(own.searchParams.get("tx"));
    return;
  }
  if (/^https?:\/\//i.test(url)) window.open(url, "_blank", "noopener,noreferrer");
  else toast(url);
}

async function tap(message, row, column, node) {
  node.classList.add("busy");
  await attempt(async () => {
    const tapped = await post(here(`/messages/${message.ref}/taps`), { row, column });
    const answer = await get(`taps/${tapped.id}?timeout_seconds=12`);
    if (!answer.answered) toast("The bot did not answer this tap.", "bad");
    else if (answer.show_alert) tell(answer.text);
    else if (answer.text) toast(answer.text);
  });
  node.classList.remove("busy");
}

function tell(text) {
  $("alert").querySelector("p").textContent = text;
  $("alert").showModal();
}

function forward(message) {
  const dialog = $("forward");
  dialog.querySelector(".list").replaceChildren(...app.chats.map((chat) => h("button", {
    type: "button",
    onclick: () => {
      dialog.close();
      attempt(() => post(here(`/messages/${message.ref}/forwards`), { to: chat.key }));
    },
  }, chat.title)));
  dialog.showModal();
}

function welcome() {
  const chat = app.chats.find((each) => each.key === app.key);
  if (chat && chat.type !== "private") {
    const bot = app.chats.find((each) => each.type === "private");
    return h("div", { class: "welcome" },
      h("b", {}, "New here?"),
      h("p", {}, "You play everybody in this group. Open the chat with the bot, press Start, and send a deposit from the wallet at the side. Then come back and write /send 1 @ben_juno, or answer somebody with /send 1."),
      bot ? h("button", { type: "button", class: "wide", onclick: () => open(bot) }, `Chat with ${bot.title}`) : null);
  }
  return h("div", { class: "welcome" },
    h("p", {}, "This is a private chat with the bot."),
    h("button", { type: "button", class: "wide", onclick: () => speak("/start") }, "Start"));
}

// Writing

function startContext(kind, message) {
  app.reply = kind === "reply" ? message : null;
  app.edit = kind === "edit" ? message : null;
  $("context").hidden = false;
  $("context").querySelector("b").textContent = kind === "reply" ? `Reply to ${message.sender.name}` : "Edit";
  $("context").querySelector("span").textContent = message.text.slice(0, 80);
  if (kind === "edit") $("text").value = message.text;
  $("text").focus();
}

function stopContext() {
  [app.reply, app.edit] = [null, null];
  $("context").hidden = true;
}

function compose(text) {
  $("text").value = text;
  $("text").focus();
  grow();
  suggest();
}

function grow() {
  const area = $("text");
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 160)}px`;
}

async function submit(event) {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  const kept = { text, edit: app.edit, reply: app.reply };
  $("text").value = "";
  $("hints").hidden = true;
  stopContext();
  grow();
  const done = await attempt(() => (kept.edit ? call("PATCH", here(`/messages/${kept.edit.ref}`), { text }) : speak(text, kept.reply)));
  if (done === null) compose(text);
  app.mentions.clear();
}

async function speak(text, reply = null) {
  const mentions = [...app.mentions].filter(([name]) => text.includes(name)).map(([name, id]) => ({ text: name, user_id: id }));
  const said = await post(here("/messages"), { text, mentions, reply_to: reply ? reply.message_id : null });
  $("log").scrollTop = $("log").scrollHeight;
  return said;
}

function offerMedia() {
  const kinds = ["photo", "video", "animation", "audio", "document", "voice", "video_note", "sticker", "poll", "location", "contact", "dice"];
  hint(kinds.map((media) => ({ label: media.replace("_", " "), about: "with what is written as its caption", act: () => attempt(async () => {
    await post(here("/messages"), { media, text: $("text").value.trim() });
    compose("");
    $("hints").hidden = true;
  }) })));
}

async function suggest() {
  const text = $("text").value;
  if (text.startsWith("/") && !/\s/.test(text)) {
    app.commands = await get(here("/commands")).catch(() => []);
    const fitting = app.commands.filter((each) => each.command.startsWith(text.slice(1).toLowerCase()));
    hint(fitting.map((each) => ({ label: `/${each.command}`, about: each.description, act: () => compose(`/${each.command} `) })));
  } else $("hints").hidden = true;
}

function hint(lines) {
  $("hints").hidden = !lines.length;
  $("hints").replaceChildren(...lines.map((line) => h("button", { type: "button", onclick: line.act }, h("b", {}, line.label), h("span", { class: "dim" }, line.about))));
}

function offerMentions() {
  const chat = app.chats.find((each) => each.key === app.key);
  const others = (chat ? chat.members : []).filter((member) => member.id !== app.me.id);
  hint(others.map((member) => ({
    label: member.name,
    about: member.username ? `@${member.username}` : "has no @name: mentioned by name",
    act: () => mention(member),
  })));
}

function mention(member) {
  const word = member.username ? `@${member.username}` : member.name;
  if (!member.username) app.mentions.set(member.name, member.id);
  const text = $("text").value;
  compose(`${text}${text && !text.endsWith(" ") ? " " : ""}${word} `);
}

// Money

async function refreshMoney() {
  const [chain, wallet, books] = await Promise.all([get("chain").catch(() => null), get(`people/${app.me.id}/wallet`).catch(() => null), get("ledger").catch(() => null)]);
  if (chain) drawChain(chain);
  if (wallet) drawWallet(wallet);
  if (books) drawBooks(books);
}

function drawChain(chain) {
  [app.decimals, app.symbol] = [chain.decimals, chain.symbol];
  $("height").textContent = chain.height.toLocaleString();
  $("on-chain").textContent = chain.on_chain_shown;
  $("in-books").textContent = chain.in_books_shown;
  const verdict = $("agrees");
  verdict.className = `verdict ${{ true: "good", false: "wait" }[chain.agrees] || ""}`;
  verdict.textContent = { true: "✓ Every coin is accounted for", false: "… blocks are still being read" }[chain.agrees] || "The ledger is not open yet";
}

function drawWallet(wallet) {
  $("wallet").textContent = wallet.shown;
  $("address").textContent = `${wallet.address.slice(0, 14)}…${wallet.address.slice(-8)}`;
  $("address").onclick = () => copy(wallet.address);
}

function drawBooks(books) {
  const balances = books.balances.filter((each) => each.amount !== 0 || each.account > 0);
  $("balances").replaceChildren(...(balances.length ? balances.map((each) => h(
    "div", { class: `row${each.account < 0 ? " system" : ""}${each.account === app.me.id ? " me" : ""}` },
    h("span", { class: "cut" }, each.account > 0 ? nameOf(each) : each.name), h("b", { class: "number" }, each.shown),
  )) : [h("p", { class: "dim" }, books.open ? "Nobody owns anything yet. Send a deposit." : "The bot has not opened its ledger yet.")]));
  $("transactions").replaceChildren(...books.transactions.slice(0, 14).map((each) => h(
    "div", { class: "transaction", title: `${each.note || each.kind} · ${new Date(each.at).toLocaleString()}` },
    h("span", { class: "dim number" }, `#${each.id}`),
    h("span", { class: "grow" }, h("b", {}, each.kind.replaceAll("_", " ")), h("span", { class: "dim cut" }, `${each.source_name} → ${each.destination_name}`)),
    h("b", { class: "number" }, each.shown),
  )));
}

const nameOf = (balance) => (app.people.find((person) => person.id === balance.account) || balance).name;

function baseUnits(text) {
  const match = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text.trim());
  if (!match) throw new Error("The amount is a number with at most 6 decimals.");
  return Number(BigInt(match[1]) * 10n ** BigInt(app.decimals) + BigInt((match[2] || "").padEnd(app.decimals, "0") || "0"));
}

async function deposit(event) {
  event.preventDefault();
  await attempt(async () => {
    const paid = await post(`people/${app.me.id}/wallet/deposits`, { amount: baseUnits($("amount").value), memo: $("memo").value });
    if (paid.code) throw new Error(`The chain refused with code ${paid.code}: ${paid.log}`);
    $("deposited").textContent = `Sent, waits for a block: ${paid.tx_hash.slice(0, 12)}…`;
    setTimeout(() => { $("deposited").textContent = ""; }, 6000);
  });
}

// An address in words where it is known, shortened otherwise
async function knownOwners() {
  const wallets = await Promise.all(app.people.map((person) => get(`people/${person.id}/wallet`)));
  wallets.forEach((wallet, index) => app.owners.set(wallet.address, `${app.people[index].name}’s wallet`));
  app.owners.set((await get("chain")).treasury, "the treasury");
}

const whose = (address) => app.owners.get(address) || `${address.slice(0, 12)}…${address.slice(-6)}`;

function coins(text) {
  const match = /^(\d+)([a-z].*)$/.exec(text);
  if (!match || match[2] !== `u${app.symbol.toLowerCase()}`) return text;
  const digits = match[1].padStart(app.decimals + 1, "0");
  const fraction = digits.slice(-app.decimals).replace(/0+$/, "");
  return `${digits.slice(0, -app.decimals)}${fraction ? `.${fraction}` : ""} ${app.symbol}`;
}

async function showTx(hash) {
  await attempt(async () => {
    const tx = await get(`txs/${encodeURIComponent(hash)}`);
    await knownOwners();
    const lines = [
      ["Hash", tx.hash], ["Block", `${tx.height}, ${tx.time.slice(0, 19).replace("T", " ")} UTC`],
      ["Result", tx.code ? `failed with code ${tx.code}: ${tx.log}` : "done"], ["Memo", tx.memo || "none"],
      ...tx.transfers.map((each) => ["Moved", `${coins(each.amount)} from ${whose(each.sender)} to ${whose(each.recipient)}`]),
    ];
    $("tx").querySelector("dl").replaceChildren(...lines.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
    if (!$("tx").open) $("tx").showModal();
  });
}

// Going wrong on purpose

function drawMischief() {
  const bot = () => app.bots[0].id;
  const fault = (body, told) => () => attempt(async () => { await post("faults", body); toast(told); });
  const lines = [
    ["Lose the next answer", fault({ kind: "lost_reply", method: "sendMessage" }, "The next message is sent, but the bot will not know.")],
    ["Fail the next 3 calls", fault({ kind: "refuse", times: 3, code: 502, description: "Bad Gateway" }, "Three calls will fail with 502.")],
    ["Too many requests", fault({ kind: "refuse", method: "sendMessage", code: 429, description: "Too Many Requests: retry after 3", retry_after: 3 }, "The next message must wait 3 seconds.")],
    ["Repeat the last update", () => attempt(async () => { await post(`bots/${bot()}/redeliveries`, { count: 1 }); toast("Delivered again, with its old id."); })],
    ["Poison an update", () => attempt(async () => { await post(`bots/${bot()}/poison`); toast("An update that nobody can parse is on its way."); })],
    ["Kill the bot (kill -9)", () => attempt(async () => { await post("bot/kills"); toast("Killed. It starts again by itself."); })],
    ["Talk 10 minutes ago", () => attempt(async () => { await call("PUT", "clock", { seconds: -600 }); toast("Whatever is said now looks ten minutes old to the bot."); })],
    ["Stop all faults", () => attempt(async () => { await call("DELETE", "faults"); await call("PUT", "clock", { seconds: 0 }); toast("Nothing goes wrong any more."); })],
  ];
  $("mischief").querySelector(".buttons").replaceChildren(...lines.map(([label, act]) => h("button", { type: "button", class: "quiet", onclick: act }, label)));
}

async function refreshBot() {
  const bot = await get("bot").catch(() => null);
  if (bot) $("bot-state").textContent = bot.running ? `The bot runs (process ${bot.pid}${bot.starts > 1 ? `, started ${bot.starts} times` : ""}).` : "The bot is not running.";
}

// Keeping up

async function follow() {
  for (;;) {
    try {
      const changes = await get(`changes?after=${app.version}&timeout_seconds=20`);
      if (changes.version === app.version) continue;
      app.version = changes.version;
      await refresh();
    } catch {
      app.version = 0;
      await pause(1500);
    }
    await pause(40);
  }
}

async function tick() {
  for (;;) {
    await refreshMoney();
    await refreshBot();
    await pause(1000);
  }
}

function show(view) {
  document.body.dataset.view = view;
}

async function start() {
  $("say").addEventListener("submit", submit);
  $("deposit").addEventListener("submit", deposit);
  $("text").addEventListener("input", () => { grow(); suggest(); });
  $("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) submit(event);
    if (event.key === "Escape") { stopContext(); $("hints").hidden = true; }
  });
  $("context").querySelector("button").addEventListener("click", () => { stopContext(); $("text").value = ""; });
  $("slash").addEventListener("click", () => compose("/"));
  $("at").addEventListener("click", offerMentions);
  $("attach").addEventListener("click", offerMedia);
  $("memo-mine").addEventListener("click", () => { $("memo").value = String(app.me.id); });
  $("memo-none").addEventListener("click", () => { $("memo").value = ""; });
  $("memo-wrong").addEventListener("click", () => { $("memo").value = "for the group, thanks!"; });
  $("alms").addEventListener("click", () => attempt(async () => {
    await post(`people/${app.me.id}/wallet/alms`, { amount: baseUnits("100") });
    toast("100 coins come with the next block.");
  }));
  for (const tab of $("tabs").children) tab.addEventListener("click", () => show(tab.dataset.view));
  while (!app.me) {
    await loadPeople().catch(() => {});
    if (!app.me) await pause(500);
  }
  watchPresses();
  drawMischief();
  const asked = new URLSearchParams(location.search).get("tx");
  if (asked) showTx(asked);
  follow();
  tick();
}

start();
