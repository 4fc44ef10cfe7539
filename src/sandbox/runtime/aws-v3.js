// The clients of the AWS SDK for JavaScript v3, for projects that have not installed them: the cloud's runtime has them too.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('aws-v3');
  rt.define('aws-v3', () => {
    const wire = rt.require('aws-wire');
    const value = rt.require('aws-value');
    const named = (name, Class) => Object.defineProperty(Class, 'name', { value: name });
    const text = (bytes, encoding) => (encoding === 'base64' || encoding === 'hex' ? rt.Buffer.from(bytes).toString(encoding) : encoding ? new TextDecoder(encoding).decode(bytes) : rt.fromUtf8(bytes));
    const stream = (bytes) => {
      const { Readable } = rt.require('stream');
      const body = new Readable({ read() {} });
      for (let at = 0; at < bytes.length; at += 65536) body.push(rt.wrapBuffer(bytes.subarray(at, at + 65536)));
      body.push(null);
      let taken = false;
      const take = async () => {
        if (taken || body.readableDidRead) throw new Error('The stream has already been transformed.');
        taken = true;
        body.resume();
        return new Uint8Array(bytes);
      };
      return Object.assign(body, { transformToByteArray: take, transformToString: async (encoding) => text(await take(), encoding), transformToWebStream: () => Readable.toWeb(body) });
    };
    const payload = (bytes) => Object.defineProperty(new Uint8Array(bytes), 'transformToString', { value(encoding) { return text(this, encoding); } });
    const enums = {
      DynamoDB: { BillingMode: 'PAY_PER_REQUEST PROVISIONED', KeyType: 'HASH RANGE', ScalarAttributeType: 'B N S', ReturnValue: 'ALL_NEW ALL_OLD NONE UPDATED_NEW UPDATED_OLD', ReturnConsumedCapacity: 'INDEXES NONE TOTAL', ReturnValuesOnConditionCheckFailure: 'ALL_OLD NONE', ProjectionType: 'ALL INCLUDE KEYS_ONLY', StreamViewType: 'KEYS_ONLY NEW_AND_OLD_IMAGES NEW_IMAGE OLD_IMAGE', Select: 'ALL_ATTRIBUTES ALL_PROJECTED_ATTRIBUTES COUNT SPECIFIC_ATTRIBUTES', TableStatus: 'ACTIVE ARCHIVED ARCHIVING CREATING DELETING UPDATING' },
      Lambda: { InvocationType: 'DryRun Event RequestResponse', LogType: 'None Tail' },
      S3: { ObjectCannedACL: 'authenticated-read private public-read public-read-write', StorageClass: 'GLACIER INTELLIGENT_TIERING STANDARD STANDARD_IA', MetadataDirective: 'COPY REPLACE', ServerSideEncryption: 'AES256 aws:kms' },
      SQS: { QueueAttributeName: 'All ApproximateNumberOfMessages ContentBasedDeduplication DelaySeconds FifoQueue MessageRetentionPeriod QueueArn ReceiveMessageWaitTimeSeconds RedrivePolicy VisibilityTimeout', MessageSystemAttributeName: 'All ApproximateFirstReceiveTimestamp ApproximateReceiveCount MessageDeduplicationId MessageGroupId SenderId SentTimestamp SequenceNumber' },
    };
    class Client {
      constructor(config) {
        const given = config ?? {};
        Object.defineProperty(this, 'given', { value: given });
        const region = async () => (typeof given.region === 'function' ? given.region() : wire.region(given));
        this.config = { ...given, region, requestHandler: given.requestHandler ?? { destroy() {} }, serviceId: this.service?.scope };
        this.middlewareStack = Object.fromEntries(['add', 'addRelativeTo', 'use', 'remove', 'clone', 'concat'].map((name) => [name, () => { throw new Error(`@aws-sdk/${this.service.package}: the built-in client has no middlewareStack.${name}; install the package in the project`); }]));
      }
      send(command, options, done) {
        if (typeof options === 'function') [options, done] = [undefined, options];
        const answer = this.#run(command, options);
        if (typeof done !== 'function') return answer;
        answer.then((output) => done(null, output), (error) => done(error));
        return undefined;
      }
      async #run(command, options) {
        const { service } = this;
        if (command?.service !== service) throw new TypeError(`@aws-sdk/${service.package}: ${command?.constructor?.name ?? String(command)} is not a command of this client`);
        const given = { ...this.given, region: await this.config.region() };
        if (typeof given.credentials === 'function') given.credentials = await given.credentials();
        const { output, metadata } = await wire.call(service, command.operation, command.prepare?.(this) ?? command.input, given, (trouble) => this.failed(trouble), options?.abortSignal);
        if (command.operation === 'GetObject') output.Body = stream(output.Body);
        if (command.operation === 'Invoke') output.Payload = payload(output.Payload);
        return { $metadata: metadata, ...(command.finish?.(output, this) ?? output) };
      }
      destroy() {}
    }
    const packages = new Map();
    const make = (key) => {
      if (packages.has(key)) return packages.get(key);
      const service = wire.services[key];
      const out = {};
      packages.set(key, out);
      class Base extends Error {
        constructor(options) {
          super(options.message);
          this.name = options.name;
          this.$fault = options.$fault ?? 'client';
          this.$metadata = options.$metadata ?? {};
          this.$service = key;
        }
      }
      const base = `${key}ServiceException`;
      out[base] = named(base, Base);
      for (const name of service.errors) out[name] = named(name, class extends Base { constructor(options) { super({ ...options, name }); } });
      class ServiceClient extends Client {
        get service() { return service; }
        failed({ name, status, message, fields, metadata }) {
          const Class = service.errors.includes(name) ? out[name] : Base;
          const error = new Class({ name, message, $fault: status >= 500 ? 'server' : 'client', $metadata: metadata });
          const { message: _, Message: __, __type: ___, ...rest } = fields;
          return Object.assign(error, rest, { $response: { statusCode: status } });
        }
      }
      out[`${key}Client`] = named(`${key}Client`, ServiceClient);
      const Whole = named(key, class extends ServiceClient {});
      for (const operation of Object.keys(service.operations)) {
        const Command = named(`${operation}Command`, class {
          constructor(input) { this.input = input ?? {}; }
        });
        Object.defineProperties(Command.prototype, { service: { value: service }, operation: { value: operation } });
        out[`${operation}Command`] = Command;
        Whole.prototype[operation[0].toLowerCase() + operation.slice(1)] = function (input, options, done) { return this.send(new Command(input), options, done); };
      }
      out[key] = Whole;
      for (const [operation, [into, from]] of Object.entries(service.pages ?? {})) out[`paginate${operation}`] = pages(out[`${operation}Command`], into, from);
      for (const [name, [operation, ready, absent]] of Object.entries(service.waits ?? {})) {
        out[`waitUntil${name}`] = async (how, input) => {
          const client = how.client ?? how;
          const until = emu.now() + (how.maxWaitTime ?? 60) * 1000;
          for (;;) {
            try {
              const answer = await client.send(new out[`${operation}Command`](input));
              if (ready?.(answer)) return { state: 'SUCCESS', reason: answer };
            } catch (error) {
              if (error.name !== absent) throw error;
              if (!ready) return { state: 'SUCCESS', reason: error };
            }
            if (emu.now() >= until) throw Object.assign(new Error(JSON.stringify({ state: 'TIMEOUT', reason: 'Waiter has timed out' })), { name: 'TimeoutError' });
            await new Promise((resolve) => setTimeout(resolve, (how.minDelay ?? 0.1) * 1000));
          }
        };
      }
      for (const [name, values] of Object.entries(enums[key] ?? {})) out[name] = Object.fromEntries(values.split(' ').map((each) => [each.replace(/\W/g, '_'), each]));
      return out;
    };
    const pages = (Command, into, from) => async function* (how, input) {
      let token = how.startingToken;
      do {
        const asked = { ...input, ...(token === undefined ? {} : { [into]: token }) };
        if (how.pageSize !== undefined) asked[Command.prototype.service.scope === 's3' ? 'MaxKeys' : 'Limit'] = how.pageSize;
        const answer = await how.client.send(new Command(asked));
        yield answer;
        token = answer[from];
      } while (token !== undefined && token !== '');
    };

    const library = () => {
      const out = { NumberValue: value.NumberValue, NumberValueImpl: value.NumberValue };
      const dynamodb = make('DynamoDB');
      class DynamoDBDocumentClient {
        constructor(client, translate) {
          if (!(client instanceof dynamodb.DynamoDBClient)) throw new TypeError('@aws-sdk/lib-dynamodb: the client is not of the built-in @aws-sdk/client-dynamodb; where the project installs one, it must install both');
          this.client = client;
          this.config = { ...client.config, translateConfig: translate };
          this.middlewareStack = client.middlewareStack;
        }
        static from(client, translate) { return new this(client, translate); }
        send(command, options, done) {
          if (!command?.toItem) return this.client.send(command, options, done);
          return this.client.send(command.toItem(this.config.translateConfig ?? {}), options, done);
        }
        destroy() {}
      }
      class DynamoDBDocument extends DynamoDBDocumentClient {}
      for (const [name, operation] of Object.entries(value.documents)) {
        const Plain = dynamodb[`${operation}Command`];
        const Command = named(`${name}Command`, class {
          constructor(input) { this.input = input ?? {}; }
          toItem({ marshallOptions, unmarshallOptions }) {
            const command = new Plain(this.input);
            command.prepare = () => value.input(operation, this.input, marshallOptions);
            command.finish = (output) => value.output(operation, output, unmarshallOptions);
            return command;
          }
        });
        Object.defineProperty(Command.prototype, 'service', { value: wire.services.DynamoDB });
        out[`${name}Command`] = Command;
        DynamoDBDocument.prototype[name[0].toLowerCase() + name.slice(1)] = function (input, options, done) { return this.send(new Command(input), options, done); };
      }
      for (const name of ['Query', 'Scan']) out[`paginate${name}`] = pages(out[`${name}Command`], 'ExclusiveStartKey', 'LastEvaluatedKey');
      return Object.assign(out, { DynamoDBDocumentClient, DynamoDBDocument });
    };
    const utilities = () => ({
      marshall(data, options) {
        const made = value.toValue(data, options);
        return options?.convertTopLevelContainer || !(made.M ?? made.L) ? made : made.M ?? made.L;
      },
      unmarshall: (data, options) => (options?.convertWithoutMapWrapper ? value.fromValue(data, options) : value.fromMap(data, options)),
      convertToAttr: value.toValue, convertToNative: value.fromValue, NumberValue: value.NumberValue, NumberValueImpl: value.NumberValue,
    });
    return { make, library, utilities };
  });
  for (const [key, name] of [['DynamoDB', 'client-dynamodb'], ['S3', 'client-s3'], ['SQS', 'client-sqs'], ['SES', 'client-ses'], ['SESv2', 'client-sesv2'], ['SNS', 'client-sns'], ['Lambda', 'client-lambda']]) rt.define(`@aws-sdk/${name}`, () => rt.require('aws-v3').make(key));
  rt.define('@aws-sdk/lib-dynamodb', () => rt.require('aws-v3').library());
  rt.define('@aws-sdk/util-dynamodb', () => rt.require('aws-v3').utilities());
})(globalThis.__emu);
