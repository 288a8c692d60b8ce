// The dashboard's page. Draws each section anew only when what it shows has changed, so that a selection, an open
// list or the keyboard's place survives the second-by-second refresh.

const $ = (id) => document.getElementById(id);
const statuses = {
  waiting: ["待機", "idle"],
  starting: ["起動中", "busy"],
  ready: ["稼働中", "good"],
  unhealthy: ["応答不良", "bad"],
  "backing-off": ["再起動待ち", "bad"],
  stopping: ["停止中", "busy"],
  stopped: ["停止", "idle"],
  scheduled: ["予約済み", "idle"],
  running: ["実行中", "busy"],
};
const kinds = { service: "", job: "ジョブ", function: "関数", local: "手元だけ" };
const clock = new Intl.DateTimeFormat("ja-JP", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const date = new Intl.DateTimeFormat("ja-JP", {
  month: "numeric",
  day: "numeric",
  weekday: "short",
  hour: "2-digit",
  minute: "2-digit",
});

/** Makes an element: `el("p", { class: "quiet" }, "text", otherElement)`. Text is never taken for markup. */
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on")
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

const drawn = new Map();

/** Draws into the section `id` when `data` is not what it was. */
function draw(id, data, make) {
  const key = JSON.stringify(data);
  if (drawn.get(id) === key) return;
  drawn.set(id, key);
  const focused = document.activeElement?.dataset?.key;
  $(id).replaceChildren(...[make(data)].flat(Infinity));
  if (focused)
    $(id)
      .querySelector(`[data-key="${CSS.escape(focused)}"]`)
      ?.focus();
}

const seconds = (ms) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} 秒`);

function badge(status) {
  const [label, tone] = statuses[status] ?? [status, "idle"];
  return el("span", { class: `badge ${tone}` }, label);
}

async function press(button, path, done) {
  button.disabled = true;
  try {
    const response = await fetch(path, { method: "POST" });
    const answer = await response.json();
    if (!response.ok) say(answer.error);
    else if (done) done();
    await refresh();
  } catch {
    say("応答がありません");
  } finally {
    button.disabled = false;
  }
}

function say(text) {
  $("status").replaceChildren(el("span", { class: "badge bad" }, text));
  drawn.delete("status");
}

function drawHeader(state) {
  document.title = `${state.status === "ready" ? "" : "… "}${state.application} · ${state.environment}`;
  const { status, readyAfterMs, waitingFor, setup } = state;
  const troubled = state.workloads.filter(({ status }) =>
    ["unhealthy", "backing-off"].includes(status),
  ).length;
  draw("status", { status, readyAfterMs, waitingFor, setup, troubled }, () => {
    if (status === "stopping") return el("span", { class: "badge busy" }, "停止しています");
    if (troubled > 0) return el("span", { class: "badge bad" }, `${troubled} 件が動いていません`);
    if (status === "ready")
      return el("span", { class: "badge good" }, `全て稼働中(${seconds(readyAfterMs)})`);
    return [
      el("span", { class: "badge busy" }, "起動中"),
      el("span", { class: "quiet" }, waitingText(waitingFor)),
      ...setup
        .filter(({ ms }) => ms !== null)
        .map(({ name, ms }) => el("span", { class: "quiet" }, `${name} ${seconds(ms)}`)),
    ];
  });
  const { database, aws } = state;
  draw("addresses", { database, aws }, () =>
    [
      database &&
        el(
          "code",
          { title: "所有者での接続。手元の PostgreSQL は合言葉を尋ねない" },
          `postgres://${database.databases[0].owner}@${database.host}:${database.port}/${database.databases[0].name}`,
        ),
      el("code", { title: "SNS・SQS・S3" }, aws.endpoint),
    ].filter(Boolean),
  );
  draw("attention", state.attention, (all) =>
    all.map(({ what, count, command }) =>
      el("p", null, el("strong", { class: "alarm" }, `${what} ${count} 件`), el("code", null, command)),
    ),
  );
  const links = state.workloads.filter(({ url }) => url);
  draw(
    "links",
    links.map(({ name, title, url, status }) => ({ name, title, url, status })),
    (all) =>
      all.map(({ name, title, url, status }) =>
        el(
          "a",
          { href: url, target: "_blank", rel: "noreferrer", class: status === "ready" ? "" : "pale" },
          el("strong", null, title ?? name),
          el("span", null, url.replace("http://", "")),
        ),
      ),
  );
}

function waitingText(what) {
  if (!what) return "";
  const words = {
    "the manifests": "マニフェストを読んでいます",
    "PostgreSQL and the queues": "PostgreSQL とキューを起動しています",
    "the queues": "キューを起動しています",
    "the workloads": "ワークロードの応答を待っています",
  };
  return words[what] ?? what.replace(/^setup: /, "準備: ");
}

function drawWorkloads(state) {
  draw(
    "workloads",
    state.workloads.filter(({ kind }) => kind !== "job"),
    (workloads) =>
      el(
        "table",
        null,
        el(
          "thead",
          null,
          el(
            "tr",
            null,
            ["名前", "状態", "ポート", "準備", "異常終了", ""].map((text, index) =>
              el("th", { scope: "col", class: index > 1 && index < 5 ? "number" : null }, text),
            ),
          ),
        ),
        el("tbody", null, workloads.map(workloadRow)),
      ),
  );
}

function workloadRow(workload) {
  const { name, title, kind, status, waitingFor, port, url, crashes, readyAfterMs, lastExit, file } =
    workload;
  const address =
    port === null ? "" : url ? el("a", { href: url, target: "_blank", rel: "noreferrer" }, port) : `${port}`;
  return el(
    "tr",
    null,
    el(
      "th",
      { scope: "row", title: file },
      name,
      title && el("small", null, title),
      kinds[kind] && el("small", null, kinds[kind]),
    ),
    el("td", null, badge(status), waitingFor && el("small", null, waitingFor)),
    el("td", { class: "number", "data-label": "ポート" }, address),
    el("td", { class: "number", "data-label": "準備" }, readyAfterMs === null ? "" : seconds(readyAfterMs)),
    el(
      "td",
      {
        class: `number ${crashes > 0 ? "alarm" : "nothing"}`,
        "data-label": "異常終了",
        title: lastExit ? `${lastExit.reason}(${clock.format(lastExit.at)})` : null,
      },
      `${crashes}`,
    ),
    el(
      "td",
      { class: "actions" },
      el("button", { type: "button", "data-key": `log-${name}`, on: { click: () => showLog(name) } }, "ログ"),
      el(
        "button",
        {
          type: "button",
          "data-key": `restart-${name}`,
          on: { click: ({ currentTarget }) => press(currentTarget, `/api/workloads/${name}/restart`) },
        },
        "再起動",
      ),
    ),
  );
}

function drawQueues(state) {
  $("queues-section").hidden = state.queues.length === 0;
  const counted = state.queues.some(({ parked }) => parked !== null);
  const headings = [
    "ワークロード",
    "トピック",
    "待ち",
    "処理中",
    "最古",
    ...(counted ? ["取り置き"] : []),
    "DLQ",
  ];
  draw("queues", state.queues, (queues) =>
    el(
      "table",
      null,
      el(
        "thead",
        null,
        el(
          "tr",
          null,
          headings.map((text, index) => el("th", { scope: "col", class: index > 1 ? "number" : null }, text)),
        ),
      ),
      el(
        "tbody",
        null,
        queues.map(
          ({ name, workload, topics, fifo, ready, inFlight, delayed, oldestSeconds, parked, deadLetter }) =>
            el(
              "tr",
              null,
              el("th", { scope: "row", title: name }, workload, !fifo && el("small", null, "標準")),
              el("td", { class: "topics" }, topics.map((topic) => shortTopic(topic, state)).join("、")),
              el("td", { class: "number", "data-label": "待ち" }, `${ready + delayed}`),
              el("td", { class: "number", "data-label": "処理中" }, `${inFlight}`),
              el(
                "td",
                { class: "number", "data-label": "最古" },
                oldestSeconds === null ? "–" : `${oldestSeconds} 秒`,
              ),
              counted &&
                el(
                  "td",
                  {
                    class: `number${parked > 0 ? " alarm" : ""}`,
                    "data-label": "取り置き",
                    title: "処理できずワークロードがデータベースに取り置いた数",
                  },
                  parked === null ? "–" : `${parked}`,
                ),
              el(
                "td",
                {
                  class: `number${deadLetter?.messages ? " alarm" : ""}`,
                  "data-label": "DLQ",
                  title: deadLetter ? `${deadLetter.tries} 回で移る: ${deadLetter.name}` : "なし",
                },
                deadLetter ? `${deadLetter.messages}` : "なし",
              ),
            ),
        ),
      ),
    ),
  );
}

/** `noren-staging-backend-outbox-item.fifo` → `item`. */
function shortTopic(topic, { application, environment, workloads }) {
  const rest = topic.replace(`${application}-${environment}-`, "").replace(/\.fifo$/, "");
  const publisher = workloads.map(({ name }) => name).find((name) => rest.startsWith(`${name}-`));
  return publisher ? rest.slice(publisher.length + 1) : rest;
}

function drawJobs(state) {
  $("jobs-section").hidden = state.jobs.length === 0;
  draw("jobs", state.jobs, (jobs) =>
    el(
      "ul",
      { class: "cards" },
      jobs.map(({ name, schedule, nextRunAt, running, runs }) => {
        const last = runs.find(({ endedAt }) => endedAt !== null);
        return el(
          "li",
          null,
          el("div", null, el("strong", null, name), running && badge("running")),
          el(
            "p",
            { class: "quiet" },
            el("code", null, schedule),
            nextRunAt === null ? " 予定なし" : ` 次は ${date.format(nextRunAt)}`,
          ),
          el(
            "p",
            { class: last && !last.ok ? "alarm" : "quiet" },
            last
              ? `前回 ${clock.format(last.startedAt)} ${last.ok ? "成功" : `失敗(${last.result})`} ${seconds(last.endedAt - last.startedAt)}`
              : "まだ実行していません",
          ),
          el(
            "div",
            { class: "actions" },
            el(
              "button",
              {
                type: "button",
                class: "primary",
                disabled: running,
                "data-key": `run-${name}`,
                on: {
                  click: ({ currentTarget }) =>
                    press(currentTarget, `/api/jobs/${name}/run?wait=0`, () => showLog(name, false)),
                },
              },
              "今すぐ実行",
            ),
            el(
              "button",
              { type: "button", "data-key": `joblog-${name}`, on: { click: () => showLog(name) } },
              "ログ",
            ),
          ),
        );
      }),
    ),
  );
}

function drawMail(state) {
  draw("mail", state.mail, (mails) =>
    mails.length === 0
      ? el("p", { class: "quiet" }, "まだ届いていません。送られたメールは全てここに入り、外へは出ません。")
      : el(
          "ul",
          { class: "letters" },
          mails
            .slice(0, 50)
            .map(({ id, subject, to, receivedAt }) =>
              el(
                "li",
                null,
                el(
                  "button",
                  { type: "button", "data-key": `mail-${id}`, on: { click: () => openLetter(id) } },
                  el("strong", null, subject || "(件名なし)"),
                  el("span", { class: "quiet" }, `${to.join(", ")} · ${clock.format(new Date(receivedAt))}`),
                ),
              ),
            ),
        ),
  );
}

async function openLetter(id) {
  const dialog = $("letter");
  const letter = await (await fetch(`/api/mail/${encodeURIComponent(id)}`)).json();
  const frame =
    letter.html !== "" &&
    el("iframe", { sandbox: "", src: `/api/mail/${encodeURIComponent(id)}/html`, title: "HTML の本文" });
  const text = el("pre", null, letter.text || "(文字の本文はありません)");
  const body = el("div", { class: "body" }, frame || text);
  const show = (view) => body.replaceChildren(view);
  dialog.replaceChildren(
    el(
      "header",
      null,
      el("h2", { id: "letter-subject" }, letter.subject || "(件名なし)"),
      el("button", { type: "button", on: { click: () => dialog.close() } }, "閉じる"),
    ),
    el(
      "dl",
      null,
      el("dt", null, "差出人"),
      el("dd", null, letter.from),
      el("dt", null, "宛先"),
      el("dd", null, letter.to.join(", ")),
      el("dt", null, "受付"),
      el(
        "dd",
        null,
        `${date.format(new Date(letter.receivedAt))} ${clock.format(new Date(letter.receivedAt))}`,
      ),
      letter.attachments.length > 0 && [
        el("dt", null, "添付"),
        el(
          "dd",
          null,
          letter.attachments.map(({ name, type, bytes }) => `${name || type}(${bytes} B)`).join("、"),
        ),
      ],
    ),
    el(
      "p",
      { class: "actions" },
      frame && el("button", { type: "button", on: { click: () => show(frame) } }, "HTML"),
      frame && el("button", { type: "button", on: { click: () => show(text) } }, "文字"),
      el("a", { href: `/api/mail/${encodeURIComponent(id)}/raw`, target: "_blank" }, "原文"),
    ),
    body,
  );
  dialog.showModal();
}

function drawNotes(state) {
  const { notes, notices } = state;
  $("notes-section").hidden = notes.length === 0 && notices.length === 0;
  draw("notes", { notes, notices }, () => [
    ...notes.map(({ title, items, text }) =>
      el(
        "div",
        null,
        el("h3", null, title),
        items.length > 0 &&
          el(
            "dl",
            { class: "note" },
            items.map(({ label, value }) => [el("dt", null, label), el("dd", null, value)]),
          ),
        text && el("pre", { class: "note" }, text),
      ),
    ),
    ...(notices.length === 0
      ? []
      : [
          el(
            "details",
            null,
            el("summary", null, `お知らせ ${notices.length} 件`),
            el(
              "ul",
              { class: "plain" },
              notices.map((text) => el("li", null, text)),
            ),
          ),
        ]),
  ]);
}

const logs = { name: "", search: "", after: 0, busy: false };

function drawLogNames(state) {
  const names = ["*", ...state.workloads.map(({ name }) => name), ...state.setup.map(({ name }) => name)];
  if (state.database) names.push("postgres");
  draw("logs-name", names, (all) =>
    all.map((name) =>
      el("option", { value: name, selected: name === logs.name }, name === "*" ? "全て" : name),
    ),
  );
  if (!logs.name) showLog("*", false);
}

function showLog(name, scroll = true) {
  logs.name = name;
  logs.after = 0;
  $("logs-name").value = name;
  $("logs").replaceChildren();
  void readLog();
  if (scroll) $("logs-section").scrollIntoView({ behavior: "smooth", block: "start" });
}

async function readLog() {
  if (!logs.name || logs.busy) return;
  logs.busy = true;
  const { name, search, after } = logs;
  try {
    const query = new URLSearchParams({ after: String(after), search, count: "500" });
    const response = await fetch(`/api/logs/${encodeURIComponent(name)}?${query}`);
    if (!response.ok) return;
    const lines = await response.json();
    if (name !== logs.name || search !== logs.search || after !== logs.after) return;
    const box = $("logs");
    if (after === 0) box.replaceChildren();
    for (const { name: writer, line } of lines) {
      const tone = /\b(ERROR|FATAL)\b/.test(line) ? "bad" : /\bWARN\b/.test(line) ? "warn" : null;
      box.append(el("div", { class: tone }, name === "*" && el("b", null, `${writer} `), line));
    }
    while (box.childElementCount > 2000) box.firstElementChild.remove();
    if (lines.length > 0) {
      logs.after = lines.at(-1).id;
      if ($("logs-follow").checked) box.scrollTop = box.scrollHeight;
    } else if (box.childElementCount === 0) {
      box.append(
        el("div", { class: "quiet" }, search ? "その語を含む行はありません" : "まだ何も書かれていません"),
      );
    }
  } finally {
    logs.busy = false;
    if (name !== logs.name || search !== logs.search) void readLog();
  }
}

let lost = 0;
let startedAt = 0;

async function refresh() {
  try {
    render(await (await fetch("/api/state")).json());
    lost = 0;
  } catch {
    lost++;
    // One miss may be the browser waking up.
    if (lost > 1) say("ランナーは止まっています。npm start で起動してください");
  }
}

function render(state) {
  // Another runner counts its log lines from the beginning.
  if (startedAt !== 0 && startedAt !== state.startedAt) showLog(logs.name, false);
  startedAt = state.startedAt;
  drawHeader(state);
  drawNotes(state);
  drawWorkloads(state);
  drawQueues(state);
  drawJobs(state);
  drawMail(state);
  drawLogNames(state);
}

$("logs-form").addEventListener("submit", (event) => event.preventDefault());
$("logs-name").addEventListener("change", ({ target }) => showLog(target.value, false));
$("logs-search").addEventListener("input", ({ target }) => {
  logs.search = target.value;
  showLog(logs.name, false);
});
$("letter").addEventListener("click", ({ target, currentTarget }) => {
  if (target === currentTarget) currentTarget.close();
});

render(JSON.parse($("state").textContent));
setInterval(() => {
  if (document.hidden) return;
  void refresh();
  void readLog();
}, 1000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) void refresh();
});
