/* The explorer's own part: which description is shown, and the session that "Try it out" uses. */
"use strict";

(() => {
  const SESSION_HEADER = "vmware-api-session-id";
  const SESSION_PATH = "/api/session";
  const part = (id) => document.getElementById(id);

  /* In memory only: a reload forgets the session, and nothing else on this machine can read it. */
  let session = null;

  /* Without credentials of the browser's own: it would ask for a password itself at every 401. */
  const call = (method, headers) => fetch(SESSION_PATH, { method, headers, credentials: "omit" });

  const DESCRIPTIONS = "/api/openapi.json";

  function description() {
    const query = new URLSearchParams();
    if (part("implemented").checked) query.set("implemented", "true");
    if (part("component").value) query.set("component", part("component").value);
    const text = query.toString();
    return DESCRIPTIONS + (text ? "?" + text : "");
  }

  /* Swagger UI shows whichever description came last; of two that were asked for, that may be the first. */
  function outdated(response) {
    const from = new URL(response.url, document.baseURI);
    return from.pathname === DESCRIPTIONS && from.pathname + from.search !== description();
  }

  const NEVER = new Promise(() => {});

  /* Everything at once would keep the browser busy for many seconds: it is offered of what is implemented only. */
  function offerComponents() {
    const only = part("implemented").checked;
    for (const option of part("component").options) {
      option.disabled = only ? "unimplemented" in option.dataset : option.value === "";
      if (option.disabled && option.selected) part("component").value = only ? "" : "vcenter";
    }
  }

  function show(problem) {
    part("login").hidden = session !== null;
    part("logout").hidden = session === null;
    part("who").textContent = session === null ? "" : session.user;
    part("problem").textContent = problem || "";
    /* Swagger UI knows of the session too: it closes the padlocks. */
    const authorized = ui.authSelectors.authorized();
    if (session !== null) ui.preauthorizeApiKey("session", session.id);
    else if (authorized && authorized.has("session")) ui.authActions.logout(["session"]);
  }

  /* What the filter is compared with: path and words of an operation, and its id without what all ids begin with. */
  const SAME = { vm: "virtual machine", vms: "virtual machines" };
  const IDLE = new Set(["a", "an", "the", "of", "to", "in", "for", "all"]);
  const wordsOf = (text) => text.toLowerCase().split(/[^a-z0-9]+/).filter(Boolean);

  function wordsOfOperation(operation) {
    const id = operation.getIn(["operation", "operationId"], "").replace(/^com\.vmware\./, "");
    const summary = operation.getIn(["operation", "summary"], "");
    const words = wordsOf([operation.get("path"), id.replace(/([a-z])([A-Z])/g, "$1 $2"), summary].join(" "));
    return words.concat(...words.filter((word) => word in SAME).map((word) => wordsOf(SAME[word])));
  }

  /* Operations of which each word of the phrase begins some word. */
  function opsFilter(tags, phrase) {
    const wanted = wordsOf(phrase).filter((word) => !IDLE.has(word));
    const fits = (operation) => {
      const words = wordsOfOperation(operation);
      return wanted.every((start) => words.some((word) => word.startsWith(start)));
    };
    return tags
      .map((tag) => tag.set("operations", tag.get("operations").filter(fits)))
      .filter((tag) => tag.get("operations").size > 0);
  }

  /* A mark on what the server has not: such operations answer UNSUPPORTED. */
  const Marks = (system) => ({
    fn: { opsFilter },
    wrapComponents: {
      OperationSummaryPath: (Original) => (props) => {
        /* Of the document: the operation itself is there once it is unfolded. */
        const place = ["paths", props.operationProps.get("path"), props.operationProps.get("method")];
        const implemented = system.specSelectors.specJson().getIn([...place, "x-implemented"]) !== false;
        const path = system.React.createElement(Original, props);
        if (implemented) return path;
        const mark = system.React.createElement("span", { className: "unimplemented" }, "not implemented");
        return system.React.createElement(system.React.Fragment, null, path, mark);
      },
    },
  });

  /* What of a description stands at a path, with the schemas that it refers to, those that they refer to, and what
     holds for all operations. */
  function partAt(path, whole) {
    const part = { ...whole, tags: [], paths: {}, components: {} };
    const add = (keys) => {
      let from = whole;
      let to = part;
      for (const key of keys.slice(0, -1)) {
        from = from[key];
        to = to[key] = to[key] || {};
      }
      const last = keys[keys.length - 1];
      if (last in to) return;
      to[last] = from[last];
      follow(from[last]);
    };
    const follow = (value) => {
      if (value === null || typeof value !== "object") return;
      if (typeof value.$ref === "string") add(value.$ref.split("/").slice(1));
      Object.values(value).forEach(follow);
    };
    add(path);
    return part;
  }

  /* What a list of the operations shows of each. */
  const SHOWN_IN_LISTS = ["operationId", "tags", "summary", "security", "x-implemented"];
  const chosen = (from, keys) => Object.fromEntries(keys.filter((key) => key in from).map((key) => [key, from[key]]));
  const mapped = (object, change) => Object.fromEntries(Object.entries(object).map(([key, each]) => [key, change(each)]));

  /* A description without what is only seen of an operation that is unfolded, and without schemas: a fifth of it. */
  function listOf(whole) {
    const { tags, ...rest } = whole;
    const paths = mapped(whole.paths, (item) => mapped(item, (operation) => chosen(operation, SHOWN_IN_LISTS)));
    return { ...rest, paths, components: { securitySchemes: whole.components.securitySchemes } };
  }

  /* Swagger UI reads the description as YAML, makes objects of its own of all of it before it shows any, and reads all
     of it again for every operation that is unfolded. So it gets the list, and each operation when it is asked for. */
  const Quick = () => {
    let whole = null;
    let asked = new Set();
    return {
      statePlugins: {
        spec: {
          wrapActions: {
            parseToJson: (_, system) => (text) => {
              whole = JSON.parse(text);
              asked = new Set();
              return system.specActions.updateJsonSpec(listOf(whole));
            },
            requestResolvedSubtree: (_, system) => async (path) => {
              const key = JSON.stringify(path);
              if (asked.has(key)) return;
              asked.add(key);
              const of = whole;
              const baseDoc = String(new URL(system.specSelectors.url(), document.baseURI));
              const { spec, errors } = await system.fn.resolveSubtree(partAt(path, of), path, { baseDoc });
              errors.forEach((error) => console.error(error));
              if (of === whole) system.specActions.updateResolvedSubtree(path, spec);
            },
          },
        },
      },
    };
  };

  const ui = SwaggerUIBundle({
    domNode: part("explorer"),
    url: description(),
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [Marks, Quick],
    layout: "BaseLayout",
    deepLinking: true,
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    docExpansion: "none",
    filter: true,
    showExtensions: true,
    tagsSorter: "alpha",
    validatorUrl: null,
    onComplete: () => {
      const filter = document.querySelector(".operation-filter-input");
      if (filter) filter.placeholder = "Filter by words of path, id and summary";
      const servers = part("servers");
      if (servers) servers.setAttribute("aria-label", "Server");
      show();
    },
    requestInterceptor: (request) => {
      request.credentials = "omit";
      return request;
    },
    responseInterceptor: (response) => {
      if (outdated(response)) return NEVER;
      if (session !== null && response.status === 401 && !response.url.endsWith(SESSION_PATH)) {
        session = null;
        show("The session has ended; log in again.");
      }
      return response;
    },
  });

  part("shown").addEventListener("change", () => {
    offerComponents();
    ui.specActions.updateUrl(description());
    ui.specActions.download(description());
  });

  part("login").addEventListener("submit", async (event) => {
    event.preventDefault();
    const user = part("user").value;
    const bytes = new TextEncoder().encode(user + ":" + part("password").value);
    const basic = btoa(String.fromCharCode(...bytes));
    try {
      const reply = await call("POST", { Authorization: "Basic " + basic });
      const body = await reply.json();
      if (reply.ok) {
        session = { id: body, user };
        part("password").value = "";
        show();
      } else {
        show(body.messages.map((message) => message.default_message).join(" "));
      }
    } catch (error) {
      show("The server does not answer: " + error.message);
    }
  });

  part("logout").addEventListener("submit", async (event) => {
    event.preventDefault();
    const ended = session;
    session = null;
    show();
    try {
      await call("DELETE", { [SESSION_HEADER]: ended.id });
    } catch (error) {
      show("The server does not answer; the session ends there when it has been idle: " + error.message);
    }
  });

  /* Swagger UI's dark colors hang on a class. */
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", follow);
  follow();

  offerComponents();
})();
