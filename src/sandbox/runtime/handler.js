// The life of a function: load, begin, invoke, and what happens to errors that nobody caught.
((emu) => {
  'use strict';
  const { rt } = emu;
  let exportPath = ['handler'];
  let current = null;

  const describe = (error, kind) => {
    if (error !== null && typeof error === 'object') {
      let name = 'Error';
      let message = '';
      let stack = '';
      try {
        name = String(error.name ?? error.constructor?.name ?? 'Error');
        message = String(error.message ?? (error instanceof Error ? '' : rt.inspect(error)));
        stack = typeof error.stack === 'string' ? error.stack : '';
      } catch {}
      if (name === 'Error' && error.constructor?.name && error.constructor.name !== 'Object') name = String(error.constructor.name);
      const trace = stack.split('\n').map((line) => line.trimEnd()).filter((line) => line !== '');
      if (trace.length && /^\s+at /.test(trace[0])) trace.unshift(message ? `${name}: ${message}` : name);
      return { errorType: kind ?? name, errorMessage: kind ? `${name}: ${message}` : message, trace };
    }
    return { errorType: kind ?? typeof error, errorMessage: String(error), trace: [] };
  };
  const fail = (run, error, kind) => {
    if (run.ended) return;
    run.ended = true;
    const report = describe(error, kind);
    let text;
    try {
      text = JSON.stringify(report);
    } catch {
      text = '{"errorType":"Error","errorMessage":"","trace":[]}';
    }
    emu.done(false, text);
  };
  const succeed = (run, value) => {
    if (run.ended) return;
    let text;
    try {
      text = value === undefined ? 'null' : JSON.stringify(value) ?? 'null';
    } catch (error) {
      error.message = `Unable to stringify response body: ${error.message}`;
      fail(run, error, 'Runtime.MarshalError');
      return;
    }
    run.ended = true;
    emu.done(true, text);
  };

  rt.report = (error) => {
    const { process } = rt;
    if (process.listenerCount('uncaughtException') > 0) {
      try {
        process.emit('uncaughtException', error, 'uncaughtException');
        return;
      } catch (thrown) {
        error = thrown;
      }
    }
    if (current && !current.ended) fail(current, error);
    else emu.log(4, `Uncaught ${rt.inspect(error)}`);
  };
  rt.exited = (error) => {
    if (current && !current.ended) fail(current, error, 'Runtime.ExitError');
  };
  emu.uncaught = (error) => rt.report(error);
  emu.rejected = (reason, promise) => {
    if (rt.process.listenerCount('unhandledRejection') > 0) {
      rt.process.emit('unhandledRejection', reason, promise);
      return true;
    }
    if (current && !current.ended) {
      fail(current, reason, 'Runtime.UnhandledPromiseRejection');
      return true;
    }
    if (current?.ended) {
      emu.log(4, `Unhandled promise rejection after the invocation had ended: ${rt.inspect(reason)}`);
      return true;
    }
    return false;
  };

  emu.load = (json) => {
    const options = JSON.parse(json);
    if (options.export) exportPath = options.export.split('.');
    if (options.env ?? options.environment) rt.process.env = options.env ?? options.environment;
    rt.files = options.files ?? rt.files ?? {};
  };
  emu.begin = () => {
    rt.restartClock();
    rt.restartProcess();
    current = null;
  };
  const follow = (from) => {
    let found = from;
    for (let i = 0; i < exportPath.length; i++) {
      if (found === undefined || found === null) return undefined;
      found = found[exportPath[i]];
    }
    return found;
  };
  const find = () => {
    const found = follow(emu.entry);
    return found === undefined ? follow(emu.entry?.default) : found;
  };

  const deprecated = (run, context) => {
    context.done = (error, value) => (error !== undefined && error !== null ? context.fail(error) : context.succeed(value));
    context.succeed = (value) => settle(run, value);
    context.fail = (error) => fail(run, error ?? 'handled');
  };
  const settle = (run, value) => {
    if (value && typeof value.then === 'function') value.then((each) => succeed(run, each), (error) => fail(run, error));
    else succeed(run, value);
  };
  // As in the cloud's runtime: a callback's result waits for what the function began, unless it asked not to.
  const later = (run, context, value) => {
    const wait = () => {
      if (run.ended) return;
      if (!context.callbackWaitsForEmptyEventLoop || rt.pending.size === 0) succeed(run, value);
      else run.waiting = wait;
    };
    wait();
  };
  /** Calls once the next operation of the host has ended, and what waited for it has gone on. */
  rt.afterNext = (call) => {
    if (current) current.waiting = call;
  };
  const complete = emu.complete;
  emu.complete = (id, ok, meta, data) => {
    complete(id, ok, meta, data);
    if (current?.waiting) {
      const { waiting } = current;
      current.waiting = null;
      Promise.resolve().then(() => Promise.resolve()).then(waiting);
    }
  };

  // The asynchronous scope is empty here, and the engine empties it after each entry.
  emu.invoke = (event, { context = {}, deadlineMs, traceHeader }) => {
    const run = { ended: false, waiting: null };
    current = run;
    if (context.firebase) {
      // A codebase hands its functions what they take, and always answers with a promise.
      find()(event, context).then((value) => succeed(run, value), (error) => fail(run, error));
      return;
    }
    if (typeof traceHeader === 'string') rt.setVariable('_X_AMZN_TRACE_ID', traceHeader);
    context.callbackWaitsForEmptyEventLoop ??= true;
    context.getRemainingTimeInMillis = () => (deadlineMs === undefined ? 0 : Math.max(0, Math.floor(deadlineMs - emu.now())));
    deprecated(run, context);
    const handler = find();
    if (typeof handler !== 'function') {
      fail(run, new Error(`the export \`${exportPath.join('.')}\` is ${handler === undefined ? 'missing' : 'not a function'}`), 'Runtime.HandlerNotFound');
      return;
    }
    const callback = (error, value) => {
      if (error !== undefined && error !== null) fail(run, error);
      else later(run, context, value);
    };
    try {
      const stream = handler[rt.streaming];
      if (stream) {
        stream(handler, event, context).then((value) => succeed(run, value), (error) => fail(run, error));
        return;
      }
      const result = handler(event, context, callback);
      if (result !== null && (typeof result === 'object' || typeof result === 'function') && typeof result.then === 'function') {
        result.then((value) => succeed(run, value), (error) => fail(run, error));
      } else if (handler.length < 3 && rt.pending.size === 0) {
        // Nothing was returned, and nothing is under way that could call back: the cloud answers null here.
        Promise.resolve().then(() => Promise.resolve()).then(() => { if (rt.pending.size === 0 && !run.waiting) succeed(run, undefined); });
      }
    } catch (error) {
      fail(run, error);
    }
  };

  // Response streaming: what is written is collected and answered at the end.
  rt.streaming = Symbol.for('aws.lambda.runtime.handler.streaming.run');
  const prelude = Symbol('prelude');
  class HttpResponseStream {
    static from(stream, metadata) {
      stream[prelude] = metadata;
      return stream;
    }
  }
  const streamify = (handler) => {
    const wrapped = (...args) => handler(...args);
    wrapped[rt.streaming] = (_, event, context) => new Promise((resolve, reject) => {
      const { PassThrough } = rt.require('stream');
      const out = new PassThrough();
      const chunks = [];
      out.setContentType = (type) => { out.contentType = type; };
      out.on('data', (chunk) => chunks.push(chunk));
      out.on('error', reject);
      out.on('end', () => {
        const bytes = rt.Buffer.concat(chunks.map((chunk) => (typeof chunk === 'string' ? rt.Buffer.from(chunk) : chunk)));
        const metadata = out[prelude];
        const headers = { ...metadata?.headers };
        if (out.contentType && !Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')) headers['content-type'] = out.contentType;
        const text = rt.fromUtf8(bytes);
        const binary = text.includes('\ufffd');
        if (!metadata && !out.contentType) return resolve(text);
        resolve({ statusCode: metadata?.statusCode ?? 200, headers, ...(metadata?.cookies ? { cookies: metadata.cookies } : {}), body: binary ? bytes.toString('base64') : text, isBase64Encoded: binary });
      });
      Promise.resolve().then(() => handler(event, out, context)).then(() => { if (!out.writableEnded) out.end(); }, reject);
    });
    return wrapped;
  };
  rt.global('awslambda', { streamifyResponse: streamify, HttpResponseStream });
})(globalThis.__emu);
