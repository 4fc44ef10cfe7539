// Runs a codebase: says what it exports, and calls whichever export is meant. Works with the runtime's own firebase-functions and with an
// installed one alike: both describe a function by `__endpoint`, and take what they are called with in production.
((emu) => {
  'use strict';
  const { rt } = emu;
  const RECORDED_BYTES_MAX = 65_536;
  // Microtasks within which a handler that has sent its answer settles, or begins what it does besides.
  const SETTLING = 32;
  rt.define('emu:firebase', () => {
    // Made while a codebase is loaded, so that its image holds it.
    const http = rt.require('firebase-functions-http');
    const isFunction = (value) => typeof value === 'function' && typeof value.__endpoint === 'object' && value.__endpoint !== null;
    // CommonJS comes as a default export, and with named ones where the bundler could tell them.
    const rootOf = (exported) => {
      const names = Object.keys(exported);
      return names.length === 1 && names[0] === 'default' && typeof exported.default === 'object' && exported.default !== null && !isFunction(exported.default) ? exported.default : exported;
    };
    const plain = (value) => {
      if (typeof value !== 'object' || value === null) return value;
      if (value[Symbol.for('firebase-functions:Expression:Tag')]) return plain(value.value());
      if (Array.isArray(value)) return value.map(plain);
      if (typeof value.toJSON === 'function') return value.toJSON();
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, typeof each === 'string' ? evaluated(each) : plain(each)]));
    };
    // An installed package writes expressions of parameters into some texts: `{{ params.NAME }}`.
    const evaluated = (text) => text.replace(/\{\{ params\.(\w+) \}\}/g, (whole, name) => declared().find((param) => param.name === name)?.value() ?? whole);
    const declared = () => {
      const found = Object.getOwnPropertySymbols(globalThis).filter((symbol) => symbol.description?.startsWith('firebase-functions:params:declaredParams')).flatMap((symbol) => globalThis[symbol]);
      return found.filter((param, at) => typeof param?.toSpec === 'function' && found.findIndex((other) => other.name === param.name) === at);
    };
    const manifest = (root) => {
      const endpoints = {};
      const walk = (module, prefix, depth) => {
        for (const [name, value] of Object.entries(module)) {
          if (isFunction(value)) endpoints[prefix + name] = { ...plain(value.__endpoint), entryPoint: (prefix + name).replaceAll('-', '.') };
          else if (typeof value === 'object' && value !== null && depth < 8 && !Array.isArray(value)) walk(value, `${prefix}${name}-`, depth + 1);
        }
      };
      walk(root, '', 0);
      return { endpoints, params: declared().map((param) => plain(param.toSpec())) };
    };
    const find = (root, target) => {
      let at = root;
      for (const name of target.split('.')) at = at?.[name];
      return typeof at === 'function' ? at : undefined;
    };
    let given = [];
    const setEnvironment = (values) => {
      for (const name of given) if (!(name in values)) delete rt.process.env[name];
      given = Object.keys(values);
      for (const name of given) rt.setVariable(name, values[name]);
    };

    // ---- Requests
    const ascii = (text) => text.replace(/[\u007f-\uffff]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
    /** Sends parts of the answer while the function goes on; where nobody takes them, keeps them for the end. `idle` says whether the
     * function has nothing left to do, so that its end, which is at once, can take an answer that is whole. */
    const outletOf = (streams, ended, idle) => {
      const pieces = [];
      let head = null;
      let gone = false;
      const post = (headers, bytes, done) => {
        if (!streams || gone) {
          done(gone ? new Error('the client has gone away') : null);
          return;
        }
        rt.begin('fetch', JSON.stringify({ method: 'POST', url: 'http://response.emu.internal/', headers }), bytes ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : null, (ok, meta) => {
          gone = !ok || JSON.parse(meta || '{}').status === 410;
          done(gone ? Object.assign(new Error('the client has gone away'), { code: 'ECONNRESET' }) : null);
        });
      };
      const headOf = () => ascii(JSON.stringify(head));
      const recorded = (bytes) => {
        const text = rt.fromUtf8(bytes);
        return text.includes('\ufffd') ? { ...head, body: bytes.toString('base64'), isBase64Encoded: true } : { ...head, body: text };
      };
      const ends = (headers, bytes, done) => post([...headers, ['emu-end', '1']], bytes, (error) => {
        done(error);
        const all = pieces.length ? rt.Buffer.concat(pieces) : rt.Buffer.alloc(0);
        ended(!streams || all.length <= RECORDED_BYTES_MAX ? recorded(all) : head);
      });
      let isTold = false;
      const told = () => {
        if (isTold) return [];
        isTold = true;
        return [['emu-head', headOf()]];
      };
      const keep = (bytes) => {
        if (!streams || pieces.reduce((sum, each) => sum + each.length, 0) <= RECORDED_BYTES_MAX) pieces.push(bytes);
      };
      return {
        head(status, headers) { head = { status, headers }; },
        data(bytes, done) {
          keep(bytes);
          post(told(), bytes, done);
        },
        end(done) { ends(told(), null, done); },
        whole(status, headers, bytes, done) {
          head = { status, headers };
          if (bytes) keep(bytes);
          // A handler that waits for nothing else settles in a moment.
          let left = streams && (bytes?.length ?? 0) <= RECORDED_BYTES_MAX ? SETTLING : 0;
          const go = () => {
            if (left > 0 && idle()) {
              done(null);
              ended(bytes ? recorded(bytes) : { ...head, body: '' });
            } else if (left-- > 0) Promise.resolve().then(go);
            else ends(told(), bytes, done);
          };
          go();
        },
      };
    };
    const serve = (call, event, streams, finish, fail) => {
      let answer = null;
      let settled = false;
      let failed = false;
      // The answer is out, and what the function began goes on: as long as its handler waits for anything, then as long as it still asks
      // something of the world.
      const conclude = () => {
        if (answer === null) return;
        const isBusy = rt.pending.size > 0 && [...rt.pending.values()].some(({ op }) => !settled || op === 'fetch');
        if (isBusy) rt.afterNext(conclude);
        else finish(answer);
      };
      let req;
      const res = new http.Response(null);
      res[http.outlet] = outletOf(streams, (ended) => {
        answer = ended;
        // A handler that only waited for this goes on in a moment.
        let left = SETTLING;
        const rest = () => {
          if (settled || left-- === 0) rt.nextTick(conclude);
          else Promise.resolve().then(rest);
        };
        rest();
      }, () => settled && !failed && rt.pending.size === 0);
      // Only a client that has gone away makes it fail.
      let isGone = false;
      res.on('error', () => {
        if (!isGone) res.emit('close');
        isGone = true;
      });
      try {
        req = http.makeRequest(event);
      } catch (error) {
        if (!(error instanceof http.Malformed)) return fail(error);
        settled = true;
        res.req = { method: event.method };
        return void res.status(400).type('txt').send(`Bad Request: ${error.message}`);
      }
      res.req = req;
      req.res = res;
      let run;
      try {
        run = Promise.resolve(call(req, res));
      } catch (error) {
        run = Promise.reject(error);
      }
      run.then(() => {
        settled = true;
        conclude();
      }, (error) => {
        settled = failed = true;
        if (answer === null && !res.headersSent) return fail(error);
        // It was answered, and failed all the same.
        res.once('finish', () => fail(error));
        if (res.writableFinished) fail(error);
      });
    };
    // `emu invoke` with any event: as the body of a request, the data of a call, or the event itself.
    const wrapped = (endpoint, event) => {
      const post = (body) => ({ $emu: 'http', method: 'POST', url: '/', headers: [['content-type', 'application/json'], ['host', 'localhost']], body: JSON.stringify(body) });
      if (endpoint.httpsTrigger) return post(event);
      if (endpoint.callableTrigger || endpoint.taskQueueTrigger || endpoint.blockingTrigger) return post({ data: event });
      if (endpoint.scheduleTrigger && endpoint.platform === 'gcfv2') return post({});
      return endpoint.platform === 'gcfv2' ? { $emu: 'event', event } : { $emu: 'event', data: event.data ?? event, context: event.context ?? {} };
    };
    const run = (root, event, context, finish, fail) => {
      const { target, environment, streams } = context.firebase ?? {};
      setEnvironment(environment ?? {});
      const call = target === undefined ? undefined : find(root, target);
      if (!call) return fail(new Error(`the codebase exports no function \`${target}\``));
      const meant = event?.$emu ? event : wrapped(call.__endpoint ?? {}, event);
      if (meant.$emu === 'http') return serve(call, meant, streams === true, finish, fail);
      // As production hands it over: an event of the first generation in two parts, one of the second as it is.
      const result = 'event' in meant ? call(meant.event) : call(meant.data, meant.context);
      return Promise.resolve(result).then(() => finish(null), fail);
    };
    const open = (exported) => {
      const root = rootOf(exported);
      return (event, context) => {
        if (event?.$emu === 'discover') return Promise.resolve(manifest(root));
        return new Promise((finish, fail) => run(root, event, context, finish, fail));
      };
    };
    return { open };
  });
})(globalThis.__emu);
