// Pipelines, with each SDK that has them: over gRPC, over REST, on servers and in apps.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, test } from 'node:test';
import { deleteApp, initializeApp } from 'firebase/app';
import * as app from 'firebase/firestore';
import * as appPipelines from 'firebase/firestore/pipelines';
import * as lite from 'firebase/firestore/lite';
import * as litePipelines from 'firebase/firestore/lite/pipelines';
import * as server from '@google-cloud/firestore';
import * as serverPipelines from '@google-cloud/firestore/pipelines';

const [host, port] = process.env.FIRESTORE_EMULATOR_HOST.split(':');
const projectId = `demo-pipelines-${process.pid}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } });
const credentials = { client_email: 'test@demo.iam.gserviceaccount.com', private_key: privateKey };
const writer = new server.Firestore({ projectId });
const ends = [() => writer.terminate()];
after(() => Promise.all(ends.map((end) => end())));

/** An SDK of apps: its functions, its database. */
function ofApp(name, sdk, pipelines) {
    const made = initializeApp({ projectId, apiKey: 'key' }, name);
    ends.push(() => deleteApp(made));
    const db = sdk.getFirestore(made);
    sdk.connectFirestoreEmulator(db, host, Number(port));
    return { p: pipelines, db, run: (pipeline) => pipelines.execute(pipeline), sdk, vector: sdk.vector, doc: (path) => sdk.doc(db, path), bytes: (...bytes) => sdk.Bytes.fromUint8Array(Uint8Array.from(bytes)) };
}

function ofServer(settings) {
    const db = new server.Firestore({ projectId, ...settings });
    ends.push(() => db.terminate());
    return { p: serverPipelines, db, run: (pipeline, options) => pipeline.execute(options), sdk: server, vector: server.FieldValue.vector, doc: (path) => db.doc(path), bytes: (...bytes) => Buffer.from(bytes) };
}

const kinds = {
    '@google-cloud/firestore': ofServer({}),
    '@google-cloud/firestore preferRest': ofServer({ preferRest: true, credentials }),
    'firebase/firestore': ofApp('app', app, appPipelines),
    'firebase/firestore/lite': ofApp('lite', lite, litePipelines),
};

const PLANTS = {
    aloe: { name: 'Aloe', kind: 'succulent', height: 60, price: 12.5, rooms: ['kitchen', 'study'], care: { water: 1, light: { need: 'full' } }, near: server.FieldValue.vector([1, 0]) },
    basil: { name: 'Basil', kind: 'herb', height: 40, price: 3, rooms: ['kitchen'], care: { water: 5 }, near: server.FieldValue.vector([0, 1]), note: null },
    cactus: { name: 'Cactus', kind: 'succulent', height: 25, price: 9.5, rooms: [], care: { water: 0 }, near: server.FieldValue.vector([0.8, 0.6]) },
    dill: { name: 'Dill', kind: 'herb', height: 90, price: NaN, rooms: ['garden', 'kitchen'] },
    fern: { name: 'Fern', kind: 'fern', height: 70, price: 20, 'odd.name': { 'in.side': 7 } },
};
const filled = (async () => {
    for (const [id, data] of Object.entries(PLANTS)) await writer.doc(`plants/${id}`).set(data);
    for (const [path, n] of [['plants/aloe/notes/n1', 1], ['plants/aloe/notes/n2', 2], ['plants/fern/notes/n3', 3]]) await writer.doc(path).set({ n });
})();

const ids = (snapshot) => snapshot.results.map((result) => result.id);
const data = (snapshot) => snapshot.results.map((result) => result.data());

for (const [kind, { p, db, run, sdk, vector, doc, bytes }] of Object.entries(kinds)) {
    const { field, constant, variable } = p;
    const plants = () => db.pipeline().collection('plants');
    const one = () => plants().limit(1);

    test(`${kind}: stages`, async () => {
        await filled;
        // [what it is, the pipeline, what it gives]
        const rows = [
            ['a collection is by name', plants(), ['aloe', 'basil', 'cactus', 'dill', 'fern']],
            ['documents, in the order in which they are named', db.pipeline().documents(['plants/fern', doc('plants/aloe'), 'plants/none']), ['fern', 'aloe']],
            ['a group of collections', db.pipeline().collectionGroup('notes').sort(field('n').descending()), ['n3', 'n2', 'n1']],
            ['a database', db.pipeline().database().where(field('height').greaterThan(60)).sort(field('height').ascending()), ['fern', 'dill']],
            ['where', plants().where(p.and(field('kind').equal('herb'), field('height').lessThan(50))), ['basil']],
            ['where, of what no index knows', plants().where(field('name').charLength().equal(4)), ['aloe', 'dill', 'fern']],
            ['where, either', plants().where(p.or(field('kind').equal('fern'), field('rooms').arrayContains('study'))), ['aloe', 'fern']],
            ['where is not so of what cannot be worked out', plants().where(field('rooms').arrayGet(0).toUpper().equal('KITCHEN')), ['aloe', 'basil']],
            ['numbers and the lack of one', plants().where(field('price').greaterThan(9.5)).sort(field('price').ascending()), ['aloe', 'fern']],
            ['sort, what is missing first', plants().sort(field('care.water').ascending(), field('height').descending()), ['dill', 'fern', 'cactus', 'aloe', 'basil']],
            ['sort by an expression', plants().sort(p.charLength('name').descending(), field('__name__').descending()).limit(2), ['cactus', 'basil']],
            ['offset and limit', plants().sort(field('height').ascending()).offset(1).limit(2), ['basil', 'aloe']],
            ['limit before where', plants().limit(2).where(field('kind').equal('herb')), ['basil']],
            ['union', plants().where(field('kind').equal('fern')).union(plants().where(field('height').greaterThan(60))).sort(field('__name__').ascending()), ['dill', 'fern', 'fern']],
            ['union, cut off', plants().union(plants()).limit(7).sort(field('__name__').ascending()), ['aloe', 'aloe', 'basil', 'basil', 'cactus', 'dill', 'fern']],
            ['nearest', plants().findNearest({ field: 'near', vectorValue: vector([1, 0]), distanceMeasure: 'cosine', limit: 2 }), ['aloe', 'cactus']],
            ['all of a sample', plants().sample(9).sort(field('__name__').ascending()), ['aloe', 'basil', 'cactus', 'dill', 'fern']],
            ['a condition on the name', plants().where(field('__name__').greaterThan(doc('plants/cactus'))), ['dill', 'fern']],
        ];
        for (const [what, pipeline, wanted] of rows) assert.deepEqual(ids(await run(pipeline)), wanted, what);

        const made = [
            ['select', plants().select('name', field('care.water').as('water')).limit(1), [{ name: 'Aloe', water: 1 }]],
            ['select within maps', plants().where(field('care.light.need').equal('full')).select('care.light.need', 'none'), [{ care: { light: { need: 'full' } } }]],
            ['add fields', one().select('name').addFields(constant(1).as('a.b'), p.add('height', 1).as('none'), field('name').toLower().as('name')), [{ name: 'aloe', a: { b: 1 }, none: null }]],
            ['remove fields', one().removeFields('care', 'near', 'rooms', 'nothing', field('kind'), 'price'), [{ name: 'Aloe', height: 60 }]],
            ['replace with a field', plants().where(field('name').equal('Basil')).replaceWith('care'), [{ water: 5 }]],
            ['replace with nothing', plants().where(field('name').equal('Fern')).replaceWith('care'), [{}]],
            ['replace with a map', one().replaceWith(p.map({ x: field('height'), y: { z: ['name'] } })), [{ x: 60, y: { z: ['name'] } }]],
            ['distinct', plants().distinct('kind', p.greaterThan('height', 50).as('tall')).sort(field('kind').descending(), field('tall').ascending()),
                [{ kind: 'succulent', tall: false }, { kind: 'succulent', tall: true }, { kind: 'herb', tall: false }, { kind: 'herb', tall: true }, { kind: 'fern', tall: true }]],
            ['aggregate', plants().aggregate(p.countAll().as('all'), p.count('care').as('cared'), p.countIf(field('height').lessThan(50)).as('small'), p.countDistinct('kind').as('kinds'), p.sum('height').as('sum'), p.average('height').as('average'), p.minimum('name').as('first'), p.maximum('height').as('highest')),
                [{ all: 5, cared: 3, small: 2, kinds: 3, sum: 285, average: 57, first: 'Aloe', highest: 90 }]],
            ['aggregate nothing', plants().where(field('height').lessThan(0)).aggregate(p.countAll().as('n'), p.sum('height').as('s'), p.average('height').as('a'), p.minimum('height').as('m')), [{ n: 0, s: 0, a: null, m: null }]],
            ['aggregate by groups', plants().aggregate({ accumulators: [p.countAll().as('n'), p.average('height').as('height')], groups: ['kind'] }).where(field('n').greaterThan(1)).sort(field('height').descending()),
                [{ kind: 'herb', n: 2, height: 65 }, { kind: 'succulent', n: 2, height: 42.5 }]],
            ['aggregate in order', plants().sort(field('height').ascending()).aggregate(p.first('name').as('first'), p.last('name').as('last'), p.arrayAgg('height').as('all'), p.arrayAggDistinct('kind').as('kinds')),
                [{ first: 'Cactus', last: 'Dill', all: [25, 40, 60, 70, 90], kinds: ['succulent', 'herb', 'fern'] }]],
            ['unnest', one().unnest(field('rooms').as('room'), 'at').select('name', 'room', 'at'), [{ name: 'Aloe', room: 'kitchen', at: 0 }, { name: 'Aloe', room: 'study', at: 1 }]],
            ['unnest an empty array, and what is none', plants().where(p.or(field('name').equal('Cactus'), field('name').equal('Fern'))).unnest(field('rooms').as('room'), 'at').select('name', 'room', 'at'), [{ name: 'Fern', at: null }]],
            ['the distance of the nearest', plants().findNearest({ field: 'near', vectorValue: vector([0, 2]), distanceMeasure: 'euclidean', limit: 1, distanceField: 'far' }).select('name', 'far'), [{ name: 'Basil', far: 1 }]],
            ['a raw stage', one().rawStage('select', [{ it: field('name'), deep: { er: field('height') } }]), [{ it: 'Aloe', deep: { er: 60 } }]],
            ['variables', plants().define(p.multiply('height', 2).as('twice')).where(variable('twice').greaterThan(150)).select(variable('twice').as('twice')), [{ twice: 180 }]],
        ];
        for (const [what, pipeline, wanted] of made) assert.deepEqual(data(await run(pipeline)), wanted, what);
        assert.equal((await run(plants().sample(2))).results.length, 2);
        assert.equal((await run(plants().sample({ percentage: 0 }))).results.length, 0);
    });

    test(`${kind}: what documents have of themselves`, async () => {
        await filled;
        const whole = await run(plants());
        const [first] = whole.results;
        assert.deepEqual([first.ref.path, first.id], ['plants/aloe', 'aloe']);
        assert.ok(first.createTime.toMillis() > 0 && first.updateTime.isEqual(first.createTime));
        assert.ok(Math.abs(whole.executionTime.toMillis() - Date.now()) < 60_000);
        const [selected] = (await run(one().select('name'))).results;
        assert.deepEqual([selected.ref, selected.createTime, selected.updateTime], [undefined, undefined, undefined]);
        const [named] = (await run(one().select('name', '__name__'))).results;
        assert.deepEqual([named.id, named.data()], ['aloe', { name: 'Aloe' }]);
        // An answer without results says too when that was so.
        const empty = await run(plants().limit(0));
        assert.deepEqual([empty.results.length, empty.executionTime.toMillis() > 0], [0, true]);
        const [read] = data(await run(one().select(field('__name__').documentId().as('id'), p.collectionId('__name__').as('in'), p.parent(doc('plants/fern/notes/n3')).as('of'), field('__create_time__').timestampDiff(field('__update_time__'), 'second').as('apart'))));
        assert.deepEqual([read.id, read.in, read.of.path, read.apart], ['aloe', 'plants', 'plants/fern', 0]);
    });

    test(`${kind}: functions`, async () => {
        await filled;
        const T = sdk.Timestamp;
        const at = new T(1741437296, 123456789);
        // [an expression, its value]; `undefined`: there is none.
        const rows = [
            [constant('text'), 'text'], [constant(null), null], [constant(new sdk.GeoPoint(1, 2)), new sdk.GeoPoint(1, 2)], [constant(vector([1, 2])), vector([1, 2])],
            [p.array([1, field('name'), [field('height')], { a: field('none') }]), [1, 'Aloe', [60], {}]], [p.map({ a: 1, b: { c: field('name') } }), { a: 1, b: { c: 'Aloe' } }],
            // Numbers.
            [p.add('height', 1), 61], [p.subtract('height', 0.5), 59.5], [p.multiply('height', 2), 120], [p.divide('height', 7), 8], [p.divide('price', 5), 2.5], [p.mod('height', 7), 4],
            [p.add('none', 1), null], [p.abs(constant(-3)), 3], [p.ceil('price'), 13], [p.floor('price'), 12], [p.round(constant(-1.5)), -2], [p.round(constant(4.123456), 4), 4.1235], [p.trunc(constant(4.7)), 4],
            [p.pow('height', 2), 3600], [p.sqrt(constant(9)), 3], [p.exp(constant(0)), 1], [p.ln(constant(1)), 0], [p.log10(constant(1000)), 3], [p.arraySum(p.array([1, 2.5, 'x'])), 3.5],
            // Texts.
            [p.stringConcat('name', ' & ', field('kind')), 'Aloe & succulent'], [p.concat(field('name'), '!'), 'Aloe!'], [p.toUpper('name'), 'ALOE'], [p.reverse('name'), 'eolA'], [p.length('name'), 4],
            [p.byteLength(constant('12é')), 4], [p.charLength(constant('12é😀')), 4], [p.trim(constant(' a b ')), 'a b'], [field('name').trim('Ae'), 'lo'], [p.substring('name', 1, 2), 'lo'], [p.substring('name', -2), 'oe'],
            [p.split(constant('a,b'), ','), ['a', 'b']], [p.join('rooms', '+'), 'kitchen+study'], [p.stringIndexOf(field('name'), 'oe'), 2], [p.stringRepeat(field('name'), 2), 'AloeAloe'],
            [p.stringReplaceAll(field('kind'), 'c', 'k'), 'sukkulent'], [p.stringReplaceOne(field('kind'), 'c', 'k'), 'sukculent'], [p.startsWith('name', 'Al'), true], [p.endsWith('name', 'Al'), false], [p.stringContains('name', 'lo'), true],
            [p.like('name', 'A%_e'), true], [p.like('name', 'A_e'), false], [p.regexContains('name', '(?i)LO'), true], [p.regexMatch('name', 'lo'), false], [p.regexFind('kind', 'c+'), 'cc'], [p.regexFindAll('kind', '[aeiou]'), ['u', 'u', 'e']],
            [field('name').equal(constant(bytes(1))), false], [p.reverse(constant(bytes(1, 2))), bytes(2, 1)], [p.stringReplaceAll(constant(bytes(1, 2, 1)), bytes(1), bytes(3)), bytes(3, 2, 3)],
            // Arrays.
            [p.arrayConcat('rooms', [1]), ['kitchen', 'study', 1]], [p.arrayContains('rooms', 'study'), true], [p.arrayContainsAll('rooms', ['study', 'x']), false], [p.arrayContainsAny('rooms', ['study', 'x']), true], [p.arrayGet('rooms', -1), 'study'], [p.arrayGet('rooms', 9), undefined],
            [p.arrayLength('rooms'), 2], [p.reverse('rooms'), ['study', 'kitchen']], [p.arraySlice('rooms', 1), ['study']], [p.arrayFirst('rooms'), 'kitchen'], [p.arrayLastN('rooms', 1), ['study']], [p.arrayMaximum('rooms'), 'study'], [p.arrayMinimumN('rooms', 1), ['kitchen']],
            [p.arrayIndexOf('rooms', 'study'), 1], [p.arrayIndexOfAll('rooms', 'x'), []], [p.arrayFilter('rooms', 'room', p.startsWith(variable('room'), 's')), ['study']], [p.arrayTransform('rooms', 'room', p.toUpper(variable('room'))), ['KITCHEN', 'STUDY']],
            [p.arrayTransformWithIndex('rooms', 'room', 'at', p.add(variable('at'), 1)), [1, 2]], [p.arrayFirst('none'), null],
            // Maps.
            [p.mapGet('care', 'water'), 1], [p.mapGet('care', 'none'), undefined], [p.mapGet('name', 'x'), undefined], [p.mapSet('care', 'water', 2, 'new', null), { water: 2, new: null, light: { need: 'full' } }], [p.mapRemove('care', 'light'), { water: 1 }],
            [p.mapMerge('care', { water: 9 }), { water: 9, light: { need: 'full' } }], [p.mapKeys('care'), ['light', 'water']], [p.mapEntries(p.map({ a: 1 })), [{ k: 'a', v: 1 }]],
            // What is so.
            [p.equal('none', null), false], [p.notEqual('none', null), true], [p.equal(constant(1), 1.0), true], [p.lessThan('name', 5), false], [p.equalAny('kind', ['succulent', 'x']), true], [p.notEqualAny('none', ['x']), true], [p.exists('none'), false], [p.isAbsent('none'), true],
            [p.and(field('height').greaterThan(1), field('name').equal('Aloe')), true], [p.xor(constant(true).asBoolean(), constant(true).asBoolean()), false], [p.not(p.exists('none')), true], [p.nor(p.exists('none'), p.exists('name')), false],
            [p.conditional(p.exists('none'), constant(1), constant(2)), 2], [p.switchOn(p.exists('none'), constant('a'), p.exists('name'), constant('b')), 'b'], [p.logicalMaximum('height', 100, 3), 100], [p.logicalMinimum('none', 5), 5],
            [p.isError(p.divide(constant(1), constant(0))), true], [p.ifError(p.divide(constant(1), constant(0)), constant('no')), 'no'], [p.ifAbsent('none', 'else'), 'else'], [p.ifNull('none', 'else'), 'else'], [p.coalesce('none', constant(null), 'name'), 'name'],
            [p.type('near'), 'vector'], [p.type('height'), 'int64'], [p.isType('price', 'number'), true],
            // Times.
            [p.unixMillisToTimestamp(constant(1741380235123)), new T(1741380235, 123000000)], [p.timestampToUnixMicros(constant(at)), 1741437296123456], [p.timestampAdd(constant(at), 'day', 1), new T(1741523696, 123456000)],
            [p.timestampTruncate(constant(at), 'month'), new T(1740787200, 0)], [p.timestampTruncate(constant(at), 'day', 'America/Los_Angeles'), new T(1741420800, 0)], [p.timestampExtract(constant(at), 'dayofyear'), 67], [p.timestampExtract(constant(at), 'hour', 'America/Los_Angeles'), 4],
            // Vectors.
            [p.cosineDistance(constant(vector([0.1, 0.1])), vector([0.5, 0.8])), 0.02560880430538015], [p.dotProduct('near', vector([3, 4])), 3], [p.euclideanDistance('near', vector([1, 2])), 2], [p.vectorLength('near'), 2],
        ];
        // All at once, by number.
        const selections = rows.map(([expression], n) => expression.as(`v${n}`));
        const [got] = data(await run(one().select(...selections)));
        rows.forEach(([expression, wanted], n) => assert.deepEqual(got[`v${n}`], wanted, `row ${n}: ${expression.name ?? expression._methodName ?? ''} ${JSON.stringify(wanted)}`));
        const [{ chance, now }] = data(await run(one().select(p.rand().as('chance'), p.currentTimestamp().as('now'))));
        assert.ok(chance >= 0 && chance < 1 && Math.abs(now.toMillis() - Date.now()) < 60_000);
    });

    test(`${kind}: pipelines within pipelines`, async () => {
        await filled;
        const notes = p.subcollection('notes').sort(field('n').ascending()).select('n');
        assert.deepEqual(data(await run(plants().where(p.or(field('name').equal('Aloe'), field('name').equal('Dill'))).addFields(notes.toArrayExpression().as('notes')).select('name', 'notes'))), [
            { name: 'Aloe', notes: [1, 2] },
            { name: 'Dill', notes: [] },
        ]);
        const peers = plants().where(field('kind').equal(variable('mine'))).aggregate(p.countAll().as('n'), p.maximum('height').as('highest'));
        assert.deepEqual(data(await run(plants().where(field('kind').equal('herb')).define(field('kind').as('mine')).select('name', peers.toScalarExpression().as('peers')))), [
            { name: 'Basil', peers: { n: 2, highest: 90 } },
            { name: 'Dill', peers: { n: 2, highest: 90 } },
        ]);
        const none = plants().where(field('kind').equal('moss')).select('name');
        assert.deepEqual(data(await run(one().select(none.toScalarExpression().as('none'), p.currentDocument().getField('height').as('height')))), [{ none: null, height: 60 }]);
        await assert.rejects(run(one().select(plants().toScalarExpression().as('all'))), /Subpipeline returned multiple results/);
        // As deep as JSON can be read.
        let deep = one().select('name');
        for (let n = 0; n < 8; n++) deep = one().select(deep.toArrayExpression().as('deeper'));
        assert.equal(JSON.stringify(data(await run(deep))), `[{"deeper":${'['.repeat(8)}"Aloe"${']'.repeat(8)}}]`);
    });

    test(`${kind}: what cannot be is refused, with the reason`, async () => {
        await filled;
        for (const [pipeline, reason] of [
            [plants().rawStage('select', [field('name')]), /Expected fields to be MAP_VALUE, but was FIELD_REFERENCE_VALUE/],
            [plants().rawStage('selekt', [{}]), /There is no stage 'selekt'\. Did you mean 'select'\?/],
            [plants().where(variable('unknown').equal(1)), /unknown variable/i],
            [one().select(p.arraySlice('rooms', 1, -1).as('x')), /length must be non-negative/],
            [one().select(p.switchOn(p.exists('none'), constant(1), p.exists('none'), constant(2)).as('x')), /all switch cases evaluate to false/],
            [one().select(p.add('name', 1).as('x')), /add: needs a number, and got a value of type string/],
            [plants().limit(-1), /limit must not be negative/],
        ]) {
            const error = await run(pipeline).then(() => assert.fail(`${reason} was expected`), (error) => error);
            assert.match(error.message, reason);
            // Without streams the SDK knows the status of HTTP only.
            assert.ok([3, 400, 'invalid-argument', 'failed-precondition'].includes(error.code), `${error.code}`);
        }
    });

    // Apps change no documents so.
    if (db instanceof server.Firestore) test(`${kind}: documents are changed`, async () => {
        const base = `beds-${Object.keys(kinds).indexOf(kind)}`;
        for (const n of [1, 2, 3]) await writer.doc(`${base}/b${n}`).set({ n, old: true });
        const beds = () => db.pipeline().collection(base);
        assert.deepEqual(data(await run(beds().where(field('n').greaterThan(1)).removeFields('old').update([p.multiply('n', 10).as('n'), constant('new').as('state')]))), [{ documents_modified: 2 }]);
        assert.deepEqual((await writer.collection(base).get()).docs.map((doc) => doc.data()), [{ n: 1, old: true }, { n: 20, state: 'new' }, { n: 30, state: 'new' }]);
        assert.deepEqual(data(await run(beds().where(field('state').equal('new')).delete())), [{ documents_modified: 2 }]);
        assert.deepEqual(ids(await run(beds())), ['b1']);
        assert.deepEqual(data(await run(beds().where(field('n').equal(99)).delete())), [{ documents_modified: 0 }]);
    });
}

test('a query as a pipeline gives what the query gives', async () => {
    await filled;
    const all = writer.collection('plants');
    for (const query of [
        all,
        all.where('kind', '==', 'herb'),
        all.where('height', '>', 30).where('height', '<=', 70),
        all.where('rooms', 'array-contains-any', ['study', 'garden']),
        all.where('kind', 'in', ['fern', 'herb']).orderBy('height', 'desc'),
        all.where('care.water', '!=', 5),
        all.where('note', '==', null),
        all.where('price', '==', NaN),
        all.orderBy('height').startAfter(25).limit(2),
        all.orderBy('height').limitToLast(2),
        all.orderBy('height').endBefore(60),
        all.where(server.Filter.or(server.Filter.where('name', '==', 'Fern'), server.Filter.where('height', '<', 30))),
        writer.collectionGroup('notes').orderBy('n', 'desc'),
    ]) {
        const wanted = (await query.get()).docs.map((doc) => doc.id);
        assert.deepEqual(ids(await writer.pipeline().createFrom(query).execute()), wanted, JSON.stringify(query._queryOptions?.filters));
    }
});

test('pipelines in transactions see what is so, and are seen by them', async () => {
    const box = writer.collection('boxes');
    await Promise.all([1, 2, 3].map((n) => box.doc(`b${n}`).set({ n })));
    const { field, sum } = serverPipelines;
    // The sum is kept beside the documents that it is of; whoever comes between makes it be worked out again.
    let runs = 0;
    await writer.runTransaction(async (transaction) => {
        runs++;
        const { results } = await transaction.execute(writer.pipeline().collection('boxes').where(field('n').greaterThan(0)).aggregate(sum('n').as('total')));
        if (runs === 1) await box.doc('b4').set({ n: 4 });
        transaction.set(writer.doc('totals/boxes'), { total: results[0].get('total') });
    });
    assert.equal((await writer.doc('totals/boxes').get()).get('total'), 10);
    assert.ok(runs > 1);
    const read = await writer.runTransaction((transaction) => transaction.execute(writer.pipeline().collection('boxes')), { readOnly: true });
    assert.equal(read.results.length, 4);
});

test('a pipeline is streamed, and explained', async () => {
    await filled;
    const pipeline = writer.pipeline().collection('plants').sort(serverPipelines.field('height').descending());
    const streamed = [];
    for await (const result of pipeline.stream()) streamed.push(result.id);
    assert.deepEqual(streamed, ['dill', 'fern', 'aloe', 'basil', 'cactus']);
    const explained = await pipeline.execute({ explainOptions: { mode: 'analyze', outputFormat: 'text' } });
    assert.match(explained.explainStats.text, /collection \/plants\n {2}sort by 1 expressions\nExecution:\n {2}results returned: 5\n/);
    assert.equal(explained.results.length, 5);
    const json = await pipeline.execute({ explainOptions: { mode: 'analyze', outputFormat: 'json' } });
    assert.equal(JSON.parse(json.explainStats.text).execution.documentsRead, 5);
    assert.equal((await pipeline.execute({ explainOptions: { mode: 'execute' } })).explainStats, undefined);
    await assert.rejects(pipeline.execute({ rawOptions: { memory_limit: 1 } }), (error) => error.code === 8);
});
