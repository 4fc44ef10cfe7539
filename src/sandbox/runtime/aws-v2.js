// The AWS SDK for JavaScript v2 (`aws-sdk`), for projects that have not installed it: callbacks and `.promise()`.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('aws-sdk', () => {
    const wire = rt.require('aws-wire');
    const value = rt.require('aws-value');
    const config = {
      update(options) { Object.assign(config, options); },
      getCredentials(done) { rt.nextTick(() => done(null, config.credentials)); },
      setPromisesDependency() {},
    };
    Object.defineProperty(config, 'region', { value: rt.process.env.AWS_REGION, writable: true, enumerable: true });
    class Credentials {
      constructor(id, secret, token) {
        Object.assign(this, typeof id === 'object' ? id : { accessKeyId: id, secretAccessKey: secret, sessionToken: token });
      }
      get(done) { rt.nextTick(() => done?.(null)); }
      getPromise() { return Promise.resolve(); }
    }
    const buffers = (held) => {
      if (held instanceof Uint8Array) return rt.Buffer.isBuffer(held) ? held : rt.Buffer.from(held);
      if (held === null || typeof held !== 'object' || held instanceof Date) return held;
      if (Array.isArray(held)) return held.map(buffers);
      if (Object.getPrototypeOf(held) !== Object.prototype) return held;
      return Object.fromEntries(Object.entries(held).map(([key, each]) => [key, buffers(each)]));
    };
    const failed = ({ name, code, status, message, fields, metadata }) => {
      const error = new Error(message);
      error.name = error.code = code ?? name;
      const { message: _, Message: __, __type: ___, Code: ____, ...rest } = fields;
      return Object.assign(error, rest, { statusCode: status, requestId: metadata.requestId, retryable: status >= 500, time: new Date(emu.now()) });
    };
    // One call: begun by `send`, `promise` or a stream, once.
    class Request extends rt.EventEmitter {
      #run;
      #answer;
      #abort = new AbortController();
      constructor(operation, params, run) {
        super();
        this.operation = operation;
        this.params = params;
        this.#run = run;
      }
      promise() {
        return (this.#answer ??= this.#run(this.#abort.signal).then((data) => {
          for (const name of ['success', 'complete']) this.emit(name, { data, error: null, request: this });
          return data;
        }, (error) => {
          if (this.listenerCount('error') > 0) this.emit('error', error, { error, request: this });
          this.emit('complete', { data: null, error, request: this });
          throw error;
        }));
      }
      send(done) {
        this.promise().then((data) => rt.nextTick(() => done?.call({ data, error: null, request: this }, null, data)), (error) => rt.nextTick(() => done?.call({ data: null, error, request: this }, error, null)));
        return this;
      }
      abort() {
        this.#abort.abort(Object.assign(new Error('Request aborted by user'), { code: 'RequestAbortedError', name: 'RequestAbortedError' }));
        return this;
      }
      createReadStream() {
        const out = new (rt.require('stream').PassThrough)();
        this.promise().then((data) => out.end(data.Body), (error) => out.destroy(error));
        return out;
      }
      eachPage() { throw rt.missing('Request.eachPage', 'aws-sdk', 'install aws-sdk in the project'); }
    }
    const ask = (operation, params, done, run) => {
      if (typeof params === 'function') [params, done] = [{}, params];
      const request = new Request(operation, params ?? {}, (signal) => run(params ?? {}, signal));
      return typeof done === 'function' ? request.send(done) : request;
    };
    const make = (key, name) => {
      const service = wire.services[key];
      const Service = Object.defineProperty(class {
        constructor(options) {
          const bound = { ...config[name.toLowerCase()], ...options };
          this.config = { ...config, ...bound };
          this.endpoint = this.config.endpoint;
        }
        async _call(operation, params, signal) {
          const { output, metadata } = await wire.call(service, operation, { ...this.config.params, ...params }, this.config, failed, signal);
          if (operation === 'Invoke') output.Payload = rt.fromUtf8(output.Payload);
          const made = buffers(output);
          Object.defineProperty(made, '$response', { value: { requestId: metadata.requestId, httpResponse: { statusCode: metadata.httpStatusCode } }, enumerable: false });
          return made;
        }
        makeRequest(operation, params, done) {
          if (typeof this[operation] !== 'function') throw rt.missing(`${name}.${operation}`, 'aws-sdk', 'install aws-sdk in the project');
          return this[operation](params, done);
        }
        waitFor(state, params, done) {
          const wait = service.waits?.[state[0].toUpperCase() + state.slice(1)];
          if (!wait) throw rt.missing(`${name}.waitFor('${state}')`, 'aws-sdk', 'install aws-sdk in the project');
          const [operation, ready, absent] = wait;
          return ask(`waitFor ${state}`, params, done, async (input, signal) => {
            const { $waiter, ...plain } = input;
            for (let left = $waiter?.maxAttempts ?? 100; left > 0; left--) {
              try {
                const answer = await this._call(operation, plain, signal);
                if (ready?.(answer)) return answer;
              } catch (error) {
                if (error.code !== absent) throw error;
                if (!ready) return {};
              }
              await new Promise((resolve) => setTimeout(resolve, ($waiter?.delay ?? 0.1) * 1000));
            }
            throw Object.assign(new Error('Resource is not in the state ' + state), { code: 'ResourceNotReady', name: 'ResourceNotReady' });
          });
        }
      }, 'name', { value: name });
      for (const operation of Object.keys(service.operations)) {
        Service.prototype[operation[0].toLowerCase() + operation.slice(1)] = function (params, done) { return ask(operation, params, done, (input, signal) => this._call(operation, input, signal)); };
      }
      return Service;
    };
    const DynamoDB = make('DynamoDB', 'DynamoDB');
    const wrapSet = (values) => ({ wrapperName: 'Set', values, type: typeof values[0] === 'string' ? 'String' : rt.isBytes(values[0]) ? 'Binary' : 'Number', toJSON() { return this.values; } });
    const options = (given) => ({ removeUndefinedValues: true, convertClassInstanceToMap: true, allowImpreciseNumbers: true, convertEmptyValues: given?.convertEmptyValues, wrapNumbers: given?.wrapNumbers, wrapSet });
    class DocumentClient {
      constructor(given = {}) {
        this.options = given;
        this.service = given.service ?? new DynamoDB(given);
      }
      createSet(values) { return wrapSet([...values]); }
    }
    const methods = { put: 'PutItem', get: 'GetItem', delete: 'DeleteItem', update: 'UpdateItem', query: 'Query', scan: 'Scan', batchGet: 'BatchGetItem', batchWrite: 'BatchWriteItem', transactGet: 'TransactGetItems', transactWrite: 'TransactWriteItems' };
    for (const [method, operation] of Object.entries(methods)) {
      DocumentClient.prototype[method] = function (params, done) {
        return ask(operation, params, done, async (input, signal) => value.output(operation, await this.service._call(operation, value.input(operation, input, options(this.options)), signal), options(this.options)));
      };
    }
    DynamoDB.DocumentClient = DocumentClient;
    DynamoDB.Converter = { input: (held, given) => value.toValue(held, options(given)), output: (held, given) => value.fromValue(held, options(given)), marshall: (held, given) => value.toMap(held, options(given)), unmarshall: (held, given) => value.fromMap(held, options(given)) };
    const S3 = make('S3', 'S3');
    S3.prototype.upload = function (params, given, done) {
      if (typeof given === 'function') done = given;
      return ask('upload', params, done, async (input, signal) => {
        const { Body, ...rest } = input;
        const answer = await this._call('PutObject', { ...rest, Body: await wire.collect(Body) }, signal);
        return { ...answer, Bucket: input.Bucket, Key: input.Key, key: input.Key, Location: `${await wire.endpoint(wire.services.S3, this.config)}/${input.Bucket}/${input.Key}` };
      });
    };
    for (const name of ['getSignedUrl', 'getSignedUrlPromise', 'createPresignedPost']) S3.prototype[name] = () => { throw rt.missing(`S3.${name}`, 'aws-sdk', 'install aws-sdk in the project'); };
    const AWS = { config, Config: class { constructor(given) { Object.assign(this, given); } update(given) { Object.assign(this, given); } }, Credentials, EnvironmentCredentials: Credentials, Endpoint: class { constructor(href) { this.href = String(href); } }, Request, VERSION: '2.1692.0', DynamoDB, S3, SQS: make('SQS', 'SQS'), SES: make('SES', 'SES'), SESV2: make('SESv2', 'SESV2'), SNS: make('SNS', 'SNS'), Lambda: make('Lambda', 'Lambda') };
    for (const name of ['ApiGatewayManagementApi', 'CloudFormation', 'CloudWatch', 'CloudWatchLogs', 'CognitoIdentityServiceProvider', 'EC2', 'EventBridge', 'Firehose', 'IAM', 'KMS', 'Kinesis', 'SSM', 'STS', 'SecretsManager', 'StepFunctions', 'XRay']) {
      AWS[name] = class { constructor() { throw rt.missing(`AWS.${name}`, 'aws-sdk', 'install aws-sdk in the project'); } };
    }
    return AWS;
  });
  for (const name of ['DynamoDB', 'S3', 'SQS', 'SES', 'SESV2', 'SNS', 'Lambda']) rt.define(`aws-sdk/clients/${name.toLowerCase()}`, () => rt.require('aws-sdk')[name]);
})(globalThis.__emu);
