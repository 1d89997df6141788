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

  function description() {
    const query = new URLSearchParams();
    if (part("implemented").checked) query.set("implemented", "true");
    if (part("component").value) query.set("component", part("component").value);
    const text = query.toString();
    return "/api/openapi.json" + (text ? "?" + text : "");
  }

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

  const ui = SwaggerUIBundle({
    domNode: part("explorer"),
    url: description(),
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    docExpansion: "none",
    filter: true,
    showExtensions: true,
    validatorUrl: null,
    onComplete: () => show(),
    requestInterceptor: (request) => {
      request.credentials = "omit";
      return request;
    },
    responseInterceptor: (response) => {
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

  offerComponents();
})();
