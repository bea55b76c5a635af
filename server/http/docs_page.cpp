#include "server/http/docs_page.hpp"

#include "base/hash.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace rekey::server::http {
namespace {

constexpr std::string_view kStyle = R"css(
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre, textarea, summary b, input { font-family: ui-monospace, monospace; font-size: 14px; }
details { border: 1px solid #ccc; border-radius: 4px; margin: .3rem 0; padding: .3rem .6rem; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 4.5rem; }
label { display: block; margin: .4rem 0; }
label span { display: inline-block; min-width: 14rem; }
textarea { width: 100%; min-height: 6rem; box-sizing: border-box; }
pre { background: #f4f4f4; padding: .6rem; overflow: auto; max-height: 30rem; }
#key { width: 100%; box-sizing: border-box; }
@media (prefers-color-scheme: dark) {
  body { background: #181818; color: #ddd; } pre { background: #222; } a { color: #8bf; }
}
)css";

constexpr std::string_view kScript = R"js(
'use strict';
const made = (tag, text, ...inside) => {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  element.append(...inside);
  return element;
};
const field = (parameter) => {
  const input = made('input');
  input.placeholder = parameter.schema.enum ? parameter.schema.enum.join(' | ') : parameter.schema.type;
  input.autocomplete = 'off';
  const name = parameter.name + (parameter.required ? ' *' : '');
  return { parameter, input, label: made('label', '', made('span', name), input, ' ' + parameter.description) };
};
const request = (path, verb, fields, body) => {
  const query = new URLSearchParams();
  const headers = new Headers();
  for (const { parameter, input } of fields) {
    if (parameter.in === 'path') path = path.replace('{' + parameter.name + '}', encodeURIComponent(input.value));
    else if (!input.value) continue;
    else if (parameter.in === 'header') headers.set(parameter.name, input.value);
    else if (parameter.schema.type === 'array')
      for (const item of input.value.split(',')) query.append(parameter.name, item.trim());
    else query.set(parameter.name, input.value);
  }
  const key = document.getElementById('key').value.trim();
  if (key) headers.set('Authorization', 'Bearer ' + key);
  const options = { method: verb.toUpperCase(), headers, credentials: 'omit', cache: 'no-store' };
  if (body && body.value.trim()) {
    headers.set('Content-Type', 'application/json');
    options.body = body.value;
  }
  const text = query.toString();
  return fetch(path + (text ? '?' + text : ''), options);
};
const shown = async (response) => {
  const lines = [response.status + ' ' + response.statusText];
  for (const [name, value] of response.headers) lines.push(name + ': ' + value);
  let text = await response.text();
  try { text = JSON.stringify(JSON.parse(text), null, 2); } catch { /* it is no JSON */ }
  return lines.join('\n') + '\n\n' + text;
};
const operation = (path, verb, what) => {
  const title = made('summary', '', made('b', verb.toUpperCase()), made('code', path), ' ' + what.summary);
  const place = made('details', '', title, made('p', what.description || ''));
  const fields = (what.parameters || []).map(field);
  place.append(...fields.map((one) => one.label));
  let body = null;
  if (what.requestBody) {
    body = made('textarea');
    body.value = JSON.stringify(what.requestBody.content['application/json'].example, null, 2);
    body.spellcheck = false;
    place.append(body);
  }
  const send = made('button', 'Send');
  const answer = made('pre');
  answer.hidden = true;
  send.addEventListener('click', async () => {
    send.disabled = true;
    answer.hidden = false;
    answer.textContent = '…';
    try { answer.textContent = await shown(await request(path, verb, fields, body)); }
    catch (problem) { answer.textContent = 'No answer: ' + problem.message; }
    send.disabled = false;
  });
  place.append(send, answer);
  return place;
};
const show = async () => {
  const description = await (await fetch('/openapi.json', { credentials: 'omit' })).json();
  document.getElementById('version').textContent = description.info.version;
  const families = new Map();
  for (const [path, verbs] of Object.entries(description.paths))
    for (const [verb, what] of Object.entries(verbs)) {
      const family = what.tags[0];
      if (!families.has(family)) families.set(family, []);
      families.get(family).push(operation(path, verb, what));
    }
  const list = document.getElementById('list');
  for (const [family, operations] of [...families].sort()) list.append(made('h2', family), ...operations);
};
show().catch((problem) => { document.getElementById('list').textContent = 'No description: ' + problem.message; });
)js";

constexpr std::string_view kBody = R"html(
<h1>Rekey <small id="version"></small></h1>
<p>Every route of this server, from <a href="/openapi.json">its OpenAPI description</a>; the methods of
<code>POST /rpc</code> are in <a href="/openrpc.json">its OpenRPC description</a>. What you send here is done.</p>
<label for="key">API key or access token. It stays in this field and is gone with the page.</label>
<input id="key" type="password" autocomplete="off" spellcheck="false" placeholder="rkk_…">
<div id="list"></div>
)html";

// 'sha256-…' in base64 with padding (CSP Level 3, section 2.3.1).
std::string source_of(std::string_view text) {
    std::string hash = to_base64url(sha256(text));
    std::replace(hash.begin(), hash.end(), '-', '+');
    std::replace(hash.begin(), hash.end(), '_', '/');
    return "'sha256-" + hash + "='";
}

net::HttpResponse make_page() {
    net::HttpResponse response;
    response.headers.add("Content-Type", "text/html; charset=utf-8");
    response.headers.add("Content-Security-Policy",
                         "default-src 'none'; connect-src 'self'; script-src " +
                             source_of(kScript) + "; style-src " + source_of(kStyle) +
                             "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    std::string& page = response.body;
    page = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Rekey</title>";
    page.append("<style>").append(kStyle).append("</style></head><body>").append(kBody);
    page.append("<script>").append(kScript).append("</script></body></html>\n");
    return response;
}

}  // namespace

const net::HttpResponse& docs_page() {
    static const net::HttpResponse page = make_page();
    return page;
}

}  // namespace rekey::server::http
