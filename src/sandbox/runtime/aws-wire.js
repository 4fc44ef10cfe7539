// The wire of the built-in AWS clients: which operations a service has, and how each protocol writes and reads them.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('aws-wire');
  rt.define('aws-wire', () => {
    const words = (text) => text.split(' ').filter(Boolean);
    const plain = (text) => Object.fromEntries(words(text).map((name) => [name, null]));
    // `METHOD path?query` by operation, where an operation has a path of its own. `{Name+}` keeps its slashes, `=Name` is the body.
    const rest = (text) => Object.fromEntries(text.trim().split('\n').map((row) => row.trim().split(' ')).map(([name, method, path, body]) => [name, { method, path, body }]));
    const services = {
      DynamoDB: {
        package: 'client-dynamodb', scope: 'dynamodb', protocol: 'json', target: 'DynamoDB_20120810',
        operations: plain('BatchExecuteStatement BatchGetItem BatchWriteItem CreateBackup CreateGlobalTable CreateTable DeleteBackup DeleteItem DeleteTable DescribeBackup DescribeContinuousBackups DescribeEndpoints DescribeLimits DescribeTable DescribeTimeToLive ExecuteStatement ExecuteTransaction GetItem ListBackups ListTables ListTagsOfResource PutItem Query RestoreTableFromBackup Scan TagResource TransactGetItems TransactWriteItems UntagResource UpdateContinuousBackups UpdateItem UpdateTable UpdateTimeToLive'),
        errors: words('BackupNotFoundException ConditionalCheckFailedException DuplicateItemException IdempotentParameterMismatchException InternalServerError InvalidEndpointException ItemCollectionSizeLimitExceededException LimitExceededException ProvisionedThroughputExceededException ReplicatedWriteConflictException RequestLimitExceeded ResourceInUseException ResourceNotFoundException TableAlreadyExistsException TableNotFoundException ThrottlingException TransactionCanceledException TransactionConflictException TransactionInProgressException'),
        pages: { Scan: ['ExclusiveStartKey', 'LastEvaluatedKey'], Query: ['ExclusiveStartKey', 'LastEvaluatedKey'], ListTables: ['ExclusiveStartTableName', 'LastEvaluatedTableName'] },
        waits: { TableExists: ['DescribeTable', (answer) => answer.Table.TableStatus === 'ACTIVE', 'ResourceNotFoundException'], TableNotExists: ['DescribeTable', null, 'ResourceNotFoundException'] },
      },
      SQS: {
        package: 'client-sqs', scope: 'sqs', protocol: 'json', target: 'AmazonSQS',
        operations: plain('AddPermission CancelMessageMoveTask ChangeMessageVisibility ChangeMessageVisibilityBatch CreateQueue DeleteMessage DeleteMessageBatch DeleteQueue GetQueueAttributes GetQueueUrl ListDeadLetterSourceQueues ListMessageMoveTasks ListQueueTags ListQueues PurgeQueue ReceiveMessage RemovePermission SendMessage SendMessageBatch SetQueueAttributes StartMessageMoveTask TagQueue UntagQueue'),
        errors: words('BatchEntryIdsNotDistinct BatchRequestTooLong EmptyBatchRequest InvalidAddress InvalidAttributeName InvalidAttributeValue InvalidBatchEntryId InvalidIdFormat InvalidMessageContents MessageNotInflight OverLimit PurgeQueueInProgress QueueDeletedRecently QueueDoesNotExist QueueNameExists ReceiptHandleIsInvalid RequestThrottled ResourceNotFoundException TooManyEntriesInBatchRequest UnsupportedOperation'),
        pages: { ListQueues: ['NextToken', 'NextToken'] },
      },
      SNS: {
        package: 'client-sns', scope: 'sns', protocol: 'query', version: '2010-03-31',
        operations: plain('AddPermission ConfirmSubscription CreateTopic DeleteTopic GetSubscriptionAttributes GetTopicAttributes ListSubscriptions ListSubscriptionsByTopic ListTagsForResource ListTopics Publish PublishBatch RemovePermission SetSubscriptionAttributes SetTopicAttributes Subscribe TagResource Unsubscribe UntagResource'),
        maps: { Attributes: '', MessageAttributes: { key: 'Name', value: 'Value' } },
        lists: words('Topics Subscriptions Tags Successful Failed'), maplike: words('Attributes'),
        errors: words('AuthorizationErrorException EndpointDisabledException FilterPolicyLimitExceededException InternalErrorException InvalidParameterException InvalidParameterValueException NotFoundException SubscriptionLimitExceededException TagLimitExceededException ThrottledException TopicLimitExceededException'),
        pages: { ListTopics: ['NextToken', 'NextToken'], ListSubscriptions: ['NextToken', 'NextToken'], ListSubscriptionsByTopic: ['NextToken', 'NextToken'] },
      },
      SES: {
        package: 'client-ses', scope: 'ses', protocol: 'query', version: '2010-12-01',
        operations: plain('CreateTemplate DeleteIdentity DeleteTemplate DeleteVerifiedEmailAddress GetAccountSendingEnabled GetIdentityDkimAttributes GetIdentityMailFromDomainAttributes GetIdentityNotificationAttributes GetIdentityVerificationAttributes GetSendQuota GetSendStatistics GetTemplate ListIdentities ListTemplates ListVerifiedEmailAddresses SendBulkTemplatedEmail SendEmail SendRawEmail SendTemplatedEmail TestRenderTemplate UpdateTemplate VerifyDomainDkim VerifyDomainIdentity VerifyEmailAddress VerifyEmailIdentity'),
        maps: {}, lists: words('Identities VerifiedEmailAddresses TemplatesMetadata SendDataPoints DkimTokens Status'), maplike: words('VerificationAttributes DkimAttributes NotificationAttributes MailFromDomainAttributes'),
        errors: words('AccountSendingPausedException AlreadyExistsException InvalidTemplateException MailFromDomainNotVerifiedException MessageRejected MissingRenderingAttributeException TemplateDoesNotExistException InvalidRenderingParameterException LimitExceededException'),
        pages: { ListIdentities: ['NextToken', 'NextToken'], ListTemplates: ['NextToken', 'NextToken'] },
      },
      SESv2: {
        package: 'client-sesv2', scope: 'ses', protocol: 'rest-json',
        operations: rest(`SendEmail POST /v2/email/outbound-emails
          SendBulkEmail POST /v2/email/outbound-bulk-emails
          GetAccount GET /v2/email/account
          CreateEmailIdentity POST /v2/email/identities
          ListEmailIdentities GET /v2/email/identities
          GetEmailIdentity GET /v2/email/identities/{EmailIdentity}
          DeleteEmailIdentity DELETE /v2/email/identities/{EmailIdentity}
          CreateEmailTemplate POST /v2/email/templates
          ListEmailTemplates GET /v2/email/templates
          GetEmailTemplate GET /v2/email/templates/{TemplateName}
          UpdateEmailTemplate PUT /v2/email/templates/{TemplateName}
          DeleteEmailTemplate DELETE /v2/email/templates/{TemplateName}
          TestRenderEmailTemplate POST /v2/email/templates/{TemplateName}/render`),
        errors: words('AccountSuspendedException AlreadyExistsException BadRequestException LimitExceededException MailFromDomainNotVerifiedException MessageRejected NotFoundException SendingPausedException TooManyRequestsException'),
        pages: { ListEmailIdentities: ['NextToken', 'NextToken'], ListEmailTemplates: ['NextToken', 'NextToken'] },
      },
      Lambda: {
        package: 'client-lambda', scope: 'lambda', protocol: 'rest-json',
        operations: rest(`Invoke POST /2015-03-31/functions/{FunctionName}/invocations Payload
          InvokeAsync POST /2014-11-13/functions/{FunctionName}/invoke-async InvokeArgs
          ListFunctions GET /2015-03-31/functions
          GetFunction GET /2015-03-31/functions/{FunctionName}
          GetFunctionConfiguration GET /2015-03-31/functions/{FunctionName}/configuration
          ListEventSourceMappings GET /2015-03-31/event-source-mappings
          GetAccountSettings GET /2016-08-19/account-settings`),
        headers: { InvocationType: 'x-amz-invocation-type', LogType: 'x-amz-log-type', ClientContext: 'x-amz-client-context' }, query: { Qualifier: 'Qualifier' },
        errors: words('EC2ThrottledException InvalidParameterValueException InvalidRequestContentException RequestTooLargeException ResourceConflictException ResourceNotFoundException ResourceNotReadyException ServiceException TooManyRequestsException UnsupportedMediaTypeException'),
        pages: { ListFunctions: ['Marker', 'NextMarker'] },
      },
      S3: {
        package: 'client-s3', scope: 's3', protocol: 'rest-xml',
        operations: rest(`ListBuckets GET /
          CreateBucket PUT /{Bucket} CreateBucketConfiguration
          HeadBucket HEAD /{Bucket}
          DeleteBucket DELETE /{Bucket}
          GetBucketLocation GET /{Bucket}?location
          GetBucketVersioning GET /{Bucket}?versioning
          PutBucketVersioning PUT /{Bucket}?versioning VersioningConfiguration
          PutBucketCors PUT /{Bucket}?cors CORSConfiguration
          DeleteBucketCors DELETE /{Bucket}?cors
          ListObjects GET /{Bucket}
          ListObjectsV2 GET /{Bucket}?list-type=2
          ListObjectVersions GET /{Bucket}?versions
          PutObject PUT /{Bucket}/{Key+} Body
          GetObject GET /{Bucket}/{Key+}
          HeadObject HEAD /{Bucket}/{Key+}
          CopyObject PUT /{Bucket}/{Key+}
          DeleteObject DELETE /{Bucket}/{Key+}
          DeleteObjects POST /{Bucket}?delete Delete
          GetObjectTagging GET /{Bucket}/{Key+}?tagging
          PutObjectTagging PUT /{Bucket}/{Key+}?tagging Tagging
          DeleteObjectTagging DELETE /{Bucket}/{Key+}?tagging
          CreateMultipartUpload POST /{Bucket}/{Key+}?uploads
          UploadPart PUT /{Bucket}/{Key+} Body
          UploadPartCopy PUT /{Bucket}/{Key+}
          ListParts GET /{Bucket}/{Key+}
          ListMultipartUploads GET /{Bucket}?uploads
          CompleteMultipartUpload POST /{Bucket}/{Key+} MultipartUpload
          AbortMultipartUpload DELETE /{Bucket}/{Key+}`),
        headers: { ACL: 'x-amz-acl', CacheControl: 'cache-control', ContentDisposition: 'content-disposition', ContentEncoding: 'content-encoding', ContentLanguage: 'content-language', ContentLength: 'content-length', ContentMD5: 'content-md5', ContentType: 'content-type', CopySource: 'x-amz-copy-source', CopySourceRange: 'x-amz-copy-source-range', CopySourceIfMatch: 'x-amz-copy-source-if-match', CopySourceIfNoneMatch: 'x-amz-copy-source-if-none-match', Expires: 'expires', IfMatch: 'if-match', IfModifiedSince: 'if-modified-since', IfNoneMatch: 'if-none-match', IfUnmodifiedSince: 'if-unmodified-since', MetadataDirective: 'x-amz-metadata-directive', Range: 'range', ServerSideEncryption: 'x-amz-server-side-encryption', StorageClass: 'x-amz-storage-class', Tagging: 'x-amz-tagging', TaggingDirective: 'x-amz-tagging-directive', ChecksumAlgorithm: 'x-amz-sdk-checksum-algorithm', ChecksumMode: 'x-amz-checksum-mode', ChecksumSHA256: 'x-amz-checksum-sha256', ExpectedBucketOwner: 'x-amz-expected-bucket-owner', RequestPayer: 'x-amz-request-payer', SSEKMSKeyId: 'x-amz-server-side-encryption-aws-kms-key-id', WebsiteRedirectLocation: 'x-amz-website-redirect-location' },
        query: { Prefix: 'prefix', Delimiter: 'delimiter', MaxKeys: 'max-keys', ContinuationToken: 'continuation-token', StartAfter: 'start-after', FetchOwner: 'fetch-owner', Marker: 'marker', EncodingType: 'encoding-type', KeyMarker: 'key-marker', VersionIdMarker: 'version-id-marker', UploadIdMarker: 'upload-id-marker', MaxUploads: 'max-uploads', MaxParts: 'max-parts', PartNumberMarker: 'part-number-marker', UploadId: 'uploadId', PartNumber: 'partNumber', VersionId: 'versionId', ResponseContentType: 'response-content-type', ResponseContentDisposition: 'response-content-disposition', ResponseCacheControl: 'response-cache-control', ResponseContentEncoding: 'response-content-encoding', ResponseContentLanguage: 'response-content-language', ResponseExpires: 'response-expires' },
        answers: { 'accept-ranges': 'AcceptRanges', 'cache-control': 'CacheControl', 'content-disposition': 'ContentDisposition', 'content-encoding': 'ContentEncoding', 'content-language': 'ContentLanguage', 'content-length': 'ContentLength', 'content-range': 'ContentRange', 'content-type': 'ContentType', etag: 'ETag', expires: 'ExpiresString', 'last-modified': 'LastModified', location: 'Location', 'x-amz-version-id': 'VersionId', 'x-amz-delete-marker': 'DeleteMarker', 'x-amz-storage-class': 'StorageClass', 'x-amz-server-side-encryption': 'ServerSideEncryption', 'x-amz-mp-parts-count': 'PartsCount', 'x-amz-tagging-count': 'TagCount', 'x-amz-bucket-region': 'BucketRegion', 'x-amz-copy-source-version-id': 'CopySourceVersionId', 'x-amz-checksum-crc32': 'ChecksumCRC32', 'x-amz-checksum-sha256': 'ChecksumSHA256' },
        errors: words('BucketAlreadyExists BucketAlreadyOwnedByYou InvalidObjectState InvalidRequest NoSuchBucket NoSuchKey NoSuchUpload NotFound ObjectAlreadyInActiveTierError ObjectNotInActiveTierError'),
        pages: { ListObjectsV2: ['ContinuationToken', 'NextContinuationToken'], ListParts: ['PartNumberMarker', 'NextPartNumberMarker'] },
        waits: { BucketExists: ['HeadBucket', () => true, 'NotFound'], BucketNotExists: ['HeadBucket', null, 'NotFound'], ObjectExists: ['HeadObject', () => true, 'NotFound'], ObjectNotExists: ['HeadObject', null, 'NotFound'] },
      },
    };
    const queryNames = { 'AWS.SimpleQueueService.NonExistentQueue': 'QueueDoesNotExist' };

    const base64 = (bytes) => rt.Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
    // What JSON has no form for: bytes are base64, times are seconds.
    const toJson = (value) => {
      if (value === null || typeof value !== 'object') return value;
      if (rt.isBytes(value)) return base64(rt.bytes(value));
      if (value instanceof Date) return value.getTime() / 1000;
      if (Array.isArray(value)) return value.map(toJson);
      const out = {};
      for (const key of Object.keys(value)) if (value[key] !== undefined) out[key] = toJson(value[key]);
      return out;
    };
    const times = /^(CreationDateTime|CreatedTimestamp|LastUpdateToPayPerRequestDateTime|LastIncreaseDateTime|LastDecreaseDateTime|BackupCreationDateTime|EarliestRestorableDateTime|LatestRestorableDateTime)$/;
    const blobs = /^(B|BinaryValue)$/;
    const lists = /^(BS|BinaryListValues)$/;
    const unbase64 = (text) => new Uint8Array(rt.Buffer.from(text, 'base64'));
    const fromJson = (value, key) => {
      if (typeof value === 'string') return blobs.test(key) ? unbase64(value) : value;
      if (typeof value === 'number') return times.test(key) ? new Date(value * 1000) : value;
      if (value === null || typeof value !== 'object') return value;
      if (Array.isArray(value)) return value.map((each) => (typeof each === 'string' && lists.test(key) ? unbase64(each) : fromJson(each, '')));
      const out = {};
      for (const name of Object.keys(value)) {
        const made = fromJson(value[name], name);
        if (made !== null) out[name] = made;
      }
      return out;
    };

    const entity = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
    const unescape = (text) => text.replace(/&(#x?[0-9a-f]+|\w+);/gi, (whole, name) => (name[0] === '#' ? String.fromCodePoint(name[1] === 'x' || name[1] === 'X' ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10)) : entity[name] ?? whole));
    const escape = (text) => String(text).replace(/[&<>"\r]/g, (each) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;' })[each]);
    const parseXml = (text) => {
      const root = { name: '', children: [], text: '' };
      const stack = [root];
      for (const [, close, name, self, cdata, words] of text.matchAll(/<(?:\?[^>]*\?|!--[\s\S]*?--|(\/)?([\w:.-]+)[^>]*?(\/)?|!\[CDATA\[([\s\S]*?)\]\])>|([^<]+)/g)) {
        const top = stack[stack.length - 1];
        if (words !== undefined) top.text += unescape(words);
        else if (cdata !== undefined) top.text += cdata;
        else if (close) stack.pop();
        else if (name !== undefined) {
          const node = { name, children: [], text: '' };
          top.children.push(node);
          if (!self) stack.push(node);
        }
      }
      return root.children[0] ?? root;
    };
    const numbers = new Set(words('Size MaxKeys KeyCount PartNumber MaxParts NextPartNumberMarker PartNumberMarker MaxUploads ContentLength PartsCount TagCount Max24HourSend MaxSendRate SentLast24Hours DeliveryAttempts Bounces Complaints Rejects'));
    const flags = new Set(words('IsTruncated IsLatest DeleteMarker Enabled DkimEnabled ForwardingEnabled SenderFault BucketKeyEnabled'));
    const dates = new Set(words('LastModified CreationDate Initiated Timestamp CreatedTimestamp'));
    const scalar = (name, text) => {
      if (numbers.has(name)) return Number(text);
      if (flags.has(name)) return text === 'true';
      if (dates.has(name)) return new Date(text);
      return text;
    };
    // S3's lists: the element of each item → the member, and lists that have an element around them.
    const flat = { Contents: 'Contents', CommonPrefixes: 'CommonPrefixes', Deleted: 'Deleted', Error: 'Errors', Part: 'Parts', Version: 'Versions', DeleteMarker: 'DeleteMarkers', Upload: 'Uploads', ChecksumAlgorithm: 'ChecksumAlgorithm' };
    const wrapped = new Set(['Buckets', 'TagSet', 'Grants']);
    const readXml = (service, node) => {
      if (wrapped.has(node.name) && service.protocol === 'rest-xml') return node.children.map((each) => readXml(service, each));
      if (service.lists?.includes(node.name) && node.text.trim() === '') return node.children.map((each) => readXml(service, each));
      if (service.maplike?.includes(node.name)) return Object.fromEntries(node.children.map((each) => [each.children.find((part) => part.name === 'key')?.text, readXml(service, each.children.find((part) => part.name === 'value') ?? { children: [], text: '' })]));
      if (node.children.length === 0) return scalar(node.name, node.text);
      if (node.children.every((each) => each.name === 'member')) return node.children.map((each) => readXml(service, each));
      const out = {};
      for (const each of node.children) {
        const list = service.protocol === 'rest-xml' && !(each.name === 'DeleteMarker' && each.children.length === 0) && flat[each.name];
        if (list) (out[list] ??= []).push(readXml(service, each));
        else out[each.name] = readXml(service, each);
      }
      return out;
    };
    const items = { Objects: 'Object', Parts: 'Part', CORSRules: 'CORSRule', AllowedHeaders: 'AllowedHeader', AllowedMethods: 'AllowedMethod', AllowedOrigins: 'AllowedOrigin', ExposeHeaders: 'ExposeHeader' };
    const roots = { MultipartUpload: 'CompleteMultipartUpload' };
    const writeXml = (name, value) => {
      if (value === undefined || value === null) return '';
      if (Array.isArray(value)) return name === 'TagSet' ? `<TagSet>${value.map((each) => writeXml('Tag', each)).join('')}</TagSet>` : value.map((each) => writeXml(items[name] ?? name, each)).join('');
      if (value instanceof Date) return `<${name}>${value.toISOString()}</${name}>`;
      if (typeof value === 'object') return `<${name}>${Object.keys(value).map((key) => writeXml(key, value[key])).join('')}</${name}>`;
      return `<${name}>${escape(value)}</${name}>`;
    };
    const writeForm = (service, form, prefix, value) => {
      if (value === undefined || value === null) return;
      if (rt.isBytes(value)) form.append(prefix, base64(rt.bytes(value)));
      else if (value instanceof Date) form.append(prefix, value.toISOString());
      else if (Array.isArray(value)) value.forEach((each, at) => writeForm(service, form, `${prefix}.member.${at + 1}`, each));
      else if (typeof value === 'object') {
        const map = service.maps[prefix.split('.').pop()];
        if (map === undefined) for (const key of Object.keys(value)) writeForm(service, form, prefix ? `${prefix}.${key}` : key, value[key]);
        else Object.keys(value).forEach((key, at) => {
          form.append(`${prefix}.entry.${at + 1}.${map.key ?? 'key'}`, key);
          writeForm(service, form, `${prefix}.entry.${at + 1}.${map.value ?? 'value'}`, value[key]);
        });
      } else form.append(prefix, prefix === 'RawMessage.Data' ? base64(rt.utf8(value)) : String(value));
    };
    const collect = async (body) => {
      if (body === undefined || body === null) return null;
      if (typeof body === 'string' || rt.isBytes(body)) return rt.bytes(body);
      if (typeof body.arrayBuffer === 'function') return new Uint8Array(await body.arrayBuffer());
      if (typeof body[Symbol.asyncIterator] === 'function') {
        const chunks = [];
        for await (const chunk of body) chunks.push(typeof chunk === 'string' ? rt.Buffer.from(chunk) : chunk);
        return rt.Buffer.concat(chunks);
      }
      throw new TypeError('a body is a string, bytes, a Blob or a stream');
    };
    const uri = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
    const stamp = () => new Date(emu.now()).toISOString().replace(/[-:]|\.\d+/g, '');
    const endpoint = async (service, config) => {
      let found = typeof config.endpoint === 'function' ? await config.endpoint() : config.endpoint;
      found ??= rt.process.env[`AWS_ENDPOINT_URL_${service.scope.toUpperCase()}`] ?? rt.process.env.AWS_ENDPOINT_URL;
      if (found && typeof found === 'object') found = found.href ?? found.url?.href ?? `${found.protocol ?? 'http:'}//${found.hostname}${found.port ? `:${found.port}` : ''}${found.path ?? ''}`;
      if (!found) throw new Error(`${service.package}: no endpoint is known; AWS_ENDPOINT_URL names it`);
      return String(/^https?:/.test(found) ? found : `http://${found}`).replace(/\/+$/, '');
    };
    const region = (config) => config.region ?? rt.process.env.AWS_REGION ?? rt.process.env.AWS_DEFAULT_REGION ?? 'us-east-1';

    /** Everything of a request but its endpoint. */
    const encode = async (service, operation, input, config) => {
      const how = service.operations[operation];
      const headers = {};
      let method = 'POST';
      let path = '/';
      let data = null;
      if (service.protocol === 'json') {
        Object.assign(headers, { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `${service.target}.${operation}` });
        data = rt.utf8(JSON.stringify(toJson(input)));
      } else if (service.protocol === 'query') {
        const form = new URLSearchParams({ Action: operation, Version: service.version });
        writeForm(service, form, '', input);
        headers['content-type'] = 'application/x-www-form-urlencoded; charset=utf-8';
        data = rt.utf8(form.toString());
      } else {
        ({ method } = how);
        const used = new Set();
        path = how.path.replace(/\{(\w+)(\+)?\}/g, (_, name, whole) => {
          used.add(name);
          if (input[name] === undefined || input[name] === null || input[name] === '') throw Object.assign(new Error(`No value provided for input HTTP label: ${name}.`), { name: 'MissingRequiredParameter', code: 'MissingRequiredParameter' });
          return whole ? String(input[name]).split('/').map(uri).join('/') : uri(String(input[name]));
        });
        const query = [];
        const left = {};
        for (const [name, value] of Object.entries(input)) {
          if (used.has(name) || name === how.body || value === undefined || value === null) continue;
          if (service.headers?.[name]) headers[service.headers[name]] = value instanceof Date ? value.toUTCString() : String(value);
          else if (service.query?.[name]) query.push(`${service.query[name]}=${uri(value instanceof Date ? value.toUTCString() : String(value))}`);
          else if (service.protocol === 'rest-xml' && name === 'Metadata') for (const key of Object.keys(value)) headers[`x-amz-meta-${key.toLowerCase()}`] = String(value[key]);
          else if (service.protocol === 'rest-xml') throw new Error(`${service.package}: the built-in client does not know ${operation}'s \`${name}\`; install the package @aws-sdk/${service.package} in the project`);
          else if (method === 'GET') query.push(`${name}=${uri(String(value))}`);
          else left[name] = value;
        }
        if (query.length) path += (path.includes('?') ? '&' : '?') + query.join('&');
        if (how.body === 'Body' || how.body === 'Payload' || how.body === 'InvokeArgs') data = await collect(input[how.body]);
        else if (how.body && input[how.body] !== undefined) data = rt.utf8(writeXml(roots[how.body] ?? how.body, input[how.body]));
        else if (service.protocol === 'rest-json' && method !== 'GET' && method !== 'DELETE') data = rt.utf8(JSON.stringify(toJson(left)));
        if (service.protocol === 'rest-json' && data) headers['content-type'] = 'application/json';
        if (service.protocol === 'rest-xml' && data && how.body !== 'Body') headers['content-type'] = 'application/xml';
        if (service.scope === 's3') headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
        if (operation === 'DeleteObjects' && data) headers['content-md5'] = rt.require('crypto').createHash('md5').update(data).digest('base64');
        delete headers['content-length'];
      }
      headers['x-amz-date'] = stamp();
      const key = config.credentials?.accessKeyId ?? config.accessKeyId ?? rt.process.env.AWS_ACCESS_KEY_ID ?? 'local';
      headers.authorization = `AWS4-HMAC-SHA256 Credential=${key}/${headers['x-amz-date'].slice(0, 8)}/${region(config)}/${service.scope}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`;
      return { method, path, headers, data };
    };
    const failure = (service, answer, headers, bytes) => {
      const text = rt.fromUtf8(bytes ?? new Uint8Array(0));
      let fields = {};
      let code = (headers['x-amzn-errortype'] ?? '').split(':')[0];
      if (service.protocol === 'json' || service.protocol === 'rest-json') {
        try {
          fields = fromJson(JSON.parse(text), '');
        } catch {}
        code = code || (fields.__type ?? fields.code ?? fields.Code ?? '');
      } else if (text) {
        const root = parseXml(text);
        const found = root.name === 'Error' ? root : root.children.find((each) => each.name === 'Error') ?? root;
        fields = Object.fromEntries(found.children.map((each) => [each.name, each.text]));
        code = fields.Code ?? code;
      } else code = code || { 404: 'NotFound', 403: 'Forbidden', 304: 'NotModified', 400: 'BadRequest', 412: 'PreconditionFailed' }[answer.status] || `${answer.status}`;
      code = String(code).split('#').pop() || 'UnknownError';
      const queryCode = (headers['x-amzn-query-error'] ?? '').split(';')[0] || code;
      let name = queryNames[code] ?? code;
      if (!service.errors.includes(name) && service.errors.includes(`${name}Exception`)) name = `${name}Exception`;
      return { name, code: queryCode, status: answer.status, message: fields.message ?? fields.Message ?? fields.errorMessage ?? name, fields };
    };
    const decode = (service, operation, answer, headers, bytes) => {
      const how = service.operations[operation];
      if (service.protocol === 'json') return bytes?.length ? fromJson(JSON.parse(rt.fromUtf8(bytes)), '') : {};
      if (service.protocol === 'query') {
        const root = parseXml(rt.fromUtf8(bytes ?? new Uint8Array(0)));
        const result = root.children.find((each) => each.name.endsWith('Result'));
        const made = result ? readXml(service, result) : {};
        return typeof made === 'object' ? made : {};
      }
      if (how.body === 'Payload') {
        const out = { StatusCode: answer.status, Payload: bytes ?? new Uint8Array(0) };
        for (const [name, member] of [['x-amz-function-error', 'FunctionError'], ['x-amz-log-result', 'LogResult'], ['x-amz-executed-version', 'ExecutedVersion']]) if (headers[name] !== undefined) out[member] = headers[name];
        return out;
      }
      if (service.protocol === 'rest-json') {
        const out = bytes?.length ? fromJson(JSON.parse(rt.fromUtf8(bytes)), '') : {};
        return operation === 'InvokeAsync' ? { Status: answer.status } : out;
      }
      const out = {};
      const metadata = {};
      for (const [name, value] of Object.entries(headers)) {
        const member = service.answers[name];
        if (name.startsWith('x-amz-meta-')) metadata[name.slice(11)] = value;
        else if (member && !(['ContentLength', 'ContentType'].includes(member) && !['GetObject', 'HeadObject'].includes(operation))) out[member] = scalar(member, value);
      }
      if (operation === 'GetObject' || operation === 'HeadObject') {
        out.Metadata = metadata;
        if (operation === 'GetObject') out.Body = bytes ?? new Uint8Array(0);
        return out;
      }
      if (bytes?.length) {
        const root = parseXml(rt.fromUtf8(bytes));
        const made = readXml(service, root);
        if (operation === 'CopyObject') out.CopyObjectResult = made;
        else if (operation === 'UploadPartCopy') out.CopyPartResult = made;
        else if (operation === 'GetBucketLocation') out.LocationConstraint = root.text || undefined;
        else if (typeof made === 'object') Object.assign(out, made);
      }
      return out;
    };
    /** One operation, tried again where the failure may pass. Answers `{output, metadata}`; throws what `failed` makes of a failure. */
    const call = async (service, operation, input, config, failed, signal) => {
      const request = await encode(service, operation, input ?? {}, config);
      const url = (await endpoint(service, config)) + request.path;
      const attempts = Number(config.maxAttempts ?? (config.maxRetries === undefined ? 3 : config.maxRetries + 1)) || 1;
      for (let attempt = 1; ; attempt++) {
        let answer;
        let bytes;
        rt.require('fetch');
        try {
          [answer, bytes] = await rt.send({ method: request.method, url, headers: Object.entries(request.headers) }, request.data, signal);
        } catch (error) {
          if (signal?.aborted || error?.cause?.code === 'EACCES' || attempt >= attempts) throw error;
        }
        if (answer) {
          const headers = {};
          for (const [name, value] of answer.headers) headers[name.toLowerCase()] = value;
          const metadata = { httpStatusCode: answer.status, requestId: headers['x-amzn-requestid'] ?? headers['x-amz-request-id'], extendedRequestId: headers['x-amz-id-2'], attempts: attempt, totalRetryDelay: 0 };
          if (answer.status < 300) return { output: decode(service, operation, answer, headers, request.method === 'HEAD' ? null : bytes), metadata };
          const trouble = failure(service, answer, headers, bytes);
          if (attempt >= attempts || !(answer.status >= 500 || /Throttl|ThroughputExceeded|TooManyRequests|SlowDown/.test(trouble.name))) throw failed({ ...trouble, metadata });
        }
        await new Promise((resolve) => setTimeout(resolve, 25 * 2 ** attempt));
      }
    };
    return { services, call, encode, endpoint, region, collect };
  });
})(globalThis.__emu);
