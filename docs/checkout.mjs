// One customer of the shop: registers, signs in, orders a mug. The README's costs are those of the order.
//   emu exec --project fixtures/shop --state .emu-checkout -- node docs/checkout.mjs
//   emu cost --project fixtures/shop --state .emu-checkout --trace latest --per 1M
const { EMU_URL, EMU_ADMIN_URL, AWS_ENDPOINT_URL } = process.env;

async function send(method, path, body, token) {
  const answer = await fetch(EMU_URL + path, {
    method,
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const person = { email: `ada+${Date.now()}@example.com`, name: 'Ada', password: 'correct horse' };
await send('POST', '/register', person);
const { messages } = await (await fetch(`${AWS_ENDPOINT_URL}/_aws/ses`)).json();
const mail = messages.find((message) => message.Destination.ToAddresses.includes(person.email));
await send('GET', mail.Body.text_part.match(/\/verify\?token=\S+/)[0]);
const { token } = await send('POST', '/login', person);
console.log(await send('POST', '/orders', { items: [{ productId: 'mug', quantity: 1 }], payment: 'visa' }, token));
// The order is paid by another function, which a queue calls.
await fetch(`${EMU_ADMIN_URL}/emu/v1/idle`, { method: 'POST' });
