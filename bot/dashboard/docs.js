const make = (name, words, attributes = {}) => {
  const element = document.createElement(name);
  if (words !== undefined) element.textContent = words;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};
const example = (schema, all) => {
  if (schema.$ref) return example(all[schema.$ref.split('/').pop()], all);
  const filled = {};
  for (const [name, field] of Object.entries(schema.properties || {}))
    filled[name] = field.default !== undefined ? field.default : (field.type === 'boolean' ? false : '');
  for (const name of Object.keys(filled)) if (filled[name] === null) delete filled[name];
  return filled;
};
const operation = (path, method, op, all) => {
  const box = make('details', undefined, {class: 'card'});
  const head = make('summary');
  head.append(make('code', method.toUpperCase() + ' ' + path), make('span', '  ' + op.summary, {class: 'soft'}));
  box.append(head);
  if (op.description) box.append(make('p', op.description, {class: 'small soft'}));
  const fields = [];
  for (const parameter of op.parameters) {
    const label = make('label', parameter.name + (parameter.required ? '' : ' (optional, in ' + parameter.in + ')'),
      {class: 'small'});
    const input = make('input', undefined, {placeholder: parameter.description || ''});
    label.append(input); box.append(label); fields.push([parameter, input]);
  }
  let body;
  const content = op.requestBody && op.requestBody.content['application/json'];
  if (content) {
    body = make('textarea', undefined, {rows: 5, 'aria-label': 'Body'});
    body.value = JSON.stringify(example(content.schema, all), null, 2);
    box.append(body);
  }
  const button = make('button', 'Send');
  const shown = make('pre', ''); shown.hidden = true;
  button.addEventListener('click', async () => {
    let address = path; const query = new URLSearchParams(); const headers = {};
    for (const [parameter, input] of fields) {
      if (parameter.in === 'path') address = address.replace('{' + parameter.name + '}', encodeURIComponent(input.value));
      else if (input.value && parameter.in === 'query') query.set(parameter.name, input.value);
      else if (input.value) headers[parameter.name] = input.value;
    }
    const token = document.querySelector('#token').value;
    if (token) headers.Authorization = 'Bearer ' + token;
    if (body && body.value) headers['Content-Type'] = 'application/json';
    shown.hidden = false; shown.textContent = '...';
    try {
      const answer = await fetch(address + (query.size ? '?' + query : ''),
        {method: method.toUpperCase(), headers, body: body && body.value ? body.value : undefined});
      shown.textContent = answer.status + ' ' + answer.statusText + '\n';
      const reader = answer.body.getReader(); const decoder = new TextDecoder(); let whole = '';
      for (;;) {
        const part = await reader.read();
        if (part.done) break;
        whole += decoder.decode(part.value, {stream: true});
        shown.textContent = answer.status + ' ' + answer.statusText + '\n' + whole.slice(0, 100000);
      }
      try { shown.textContent = answer.status + '\n' + JSON.stringify(JSON.parse(whole), null, 2); } catch {}
    } catch (error) { shown.textContent = String(error); }
  });
  box.append(button, shown);
  return box;
};
fetch('/api/openapi.json').then((answer) => answer.json()).then((description) => {
  const groups = new Map();
  for (const [path, methods] of Object.entries(description.paths))
    for (const [method, op] of Object.entries(methods)) {
      if (!groups.has(op.tags[0])) groups.set(op.tags[0], []);
      groups.get(op.tags[0]).push(operation(path, method, op, description.components.schemas));
    }
  const list = document.querySelector('#operations');
  for (const [name, boxes] of groups) list.append(make('h2', name), ...boxes);
});
