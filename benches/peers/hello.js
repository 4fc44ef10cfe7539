// The function that functions-framework serves: the same answer as emu's fixtures/bench.
exports.hello = (request, response) => response.json({ hello: 'world' });
