// A page of hosting in a real browser: the SDK for browsers as pages have it, two people who look at the same notes.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { proxy } from '../firestore/proxy.mjs';

const modules = new URL('../node_modules/', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('firebase/package.json', modules)));
const services = await (await fetch(`http://${process.env.FIREBASE_EMULATOR_HUB}/emulators`)).json();
const site = `http://127.0.0.1:${services.hosting.port}`;
const PICTURES = process.env.EMU_TEST_PICTURES ?? join(tmpdir(), 'emu-pictures');
const FLAGS = '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

let browser;
const contexts = [];
before(async () => {
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS.split(' ') });
});
afterEach(async ({ name, passed }) => {
    for (const [index, context] of contexts.splice(0).entries()) {
        for (const page of passed ? [] : context.pages()) {
            mkdirSync(PICTURES, { recursive: true });
            const path = `${PICTURES}/${name.replaceAll(/\W+/g, '-')}-${index}.png`;
            await page.screenshot({ path, fullPage: true }).then(() => console.error(`a picture of the page: ${path}`), () => {});
        }
        await context.close();
    }
});
after(() => browser?.close());

/** Somebody's browser. Nothing leaves this machine: the SDK comes from its package. */
async function someone() {
    const context = await browser.newContext();
    contexts.push(context);
    await context.route(/^https:/, (route) => {
        const url = new URL(route.request().url());
        const [, name] = url.pathname.match(/^\/firebasejs\/[\d.]+\/(firebase-\w+\.js)$/) ?? [];
        if (name) return route.fulfill({ path: fileURLToPath(new URL(`firebase/${name}`, modules)), contentType: 'text/javascript', headers: { 'access-control-allow-origin': '*' } });
        if (url.host === 'apis.google.com') return route.fulfill({ path: fileURLToPath(new URL('gapi.js', import.meta.url)), contentType: 'text/javascript' });
        return route.abort();
    });
    const page = await context.newPage();
    page.on('pageerror', (error) => console.error(`the page: ${error}`));
    return { context, page };
}

async function open(page, query = '') {
    await page.goto(`${site}/?sdk=${version}${query}`);
    await page.locator('body[data-ready]').waitFor();
}

const note = (page, text) => page.locator('#notes li', { hasText: text });
const add = async (page, text) => {
    await page.fill('#text', text);
    await page.click('#new button');
};
const from = (page, source, pending = 'false') => page.locator(`#notes[data-from=${source}][data-pending=${pending}]`).waitFor({ state: 'attached' });

test('one writes, the other sees it', async () => {
    const [ann, ben] = await Promise.all([someone(), someone()]);
    await Promise.all([open(ann.page), open(ben.page)]);
    await from(ben.page, 'server');
    await add(ann.page, 'Grüße 😀');
    await note(ben.page, 'Grüße 😀').waitFor();
    await add(ben.page, 'und zurück');
    await note(ann.page, 'und zurück').waitFor();
    await ann.page.evaluate(() => firestore.runTransaction(db, async (transaction) => {
        const [first] = (await firestore.getDocs(firestore.query(firestore.collection(db, 'notes'), firestore.orderBy('n')))).docs;
        const { text } = (await transaction.get(first.ref)).data();
        transaction.update(first.ref, { text: `${text}!` });
    }));
    await note(ben.page, 'Grüße 😀!').waitFor();
    assert.equal(await ben.page.evaluate(async () => (await firestore.getCountFromServer(firestore.collection(db, 'notes'))).data().count), 2);
});

test('what was missed while the connection was cut is told afterwards', async () => {
    const line = await proxy('127.0.0.1', services.firestore.port);
    const [ann, ben] = await Promise.all([someone(), someone()]);
    await Promise.all([open(ann.page), open(ben.page, `&port=${line.port}`)]);
    await from(ben.page, 'server');
    line.cut();
    await add(ann.page, 'while you were away');
    await note(ben.page, 'while you were away').waitFor();
    // Longer away: the stream is another, and goes on where the one before ended.
    await ben.page.evaluate(() => firestore.disableNetwork(db));
    line.sent();
    await add(ann.page, 'and again');
    await note(ann.page, 'and again').waitFor();
    await ben.page.evaluate(() => firestore.enableNetwork(db));
    await note(ben.page, 'and again').waitFor();
    assert.match(line.sent(), /resumeToken/);
    line.close();
});

test('without a connection the page works from its cache, and what was written then is sent later', async () => {
    const [ann, ben] = await Promise.all([someone(), someone()]);
    await Promise.all([open(ann.page, '&offline=1'), open(ben.page)]);
    await from(ann.page, 'server');
    await add(ann.page, 'kept');
    await note(ben.page, 'kept').waitFor();
    await from(ann.page, 'server');
    const firestore = `http://127.0.0.1:${services.firestore.port}/**`;
    await ann.context.route(firestore, (route) => route.abort());
    await open(ann.page, '&offline=1');
    await note(ann.page, 'kept').waitFor();
    await from(ann.page, 'cache');
    await add(ann.page, 'written offline');
    await note(ann.page, 'written offline').waitFor();
    await from(ann.page, 'cache', 'true');
    await ann.context.unroute(firestore);
    await open(ann.page, '&offline=1');
    await note(ben.page, 'written offline').waitFor();
    await from(ann.page, 'server');
});

test('who signs in stays the same through pages', async () => {
    const { page } = await someone();
    await open(page);
    await page.click('#sign-in');
    await page.locator('#user', { hasText: '@example.com' }).waitFor();
    const email = await page.textContent('#user');
    await add(page, 'signed');
    await note(page, 'signed').waitFor();
    await from(page, 'server');
    await open(page);
    await page.locator('#user', { hasText: email }).waitFor();
    const uid = await page.evaluate(() => users.currentUser.uid);
    const owners = await page.evaluate(async () => (await firestore.getDocs(firestore.query(firestore.collection(db, 'notes'), firestore.where('by', '!=', null)))).docs.map((found) => found.get('by')));
    assert.deepEqual(owners, [uid]);
});

test('somebody signs in with Google, by the page that asks who', async () => {
    const { page } = await someone();
    await open(page);
    for (const round of ['a new account', 'the same again']) {
        const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('#popup')]);
        if (round === 'a new account') {
            await popup.fill('#email', 'ada@example.com');
            await popup.fill('#name', 'Ada');
            await popup.click('#new button');
        } else {
            await popup.click('.account:has-text("ada@example.com")');
        }
        await page.locator('#user', { hasText: 'ada@example.com' }).waitFor();
        assert.equal(await page.evaluate(() => users.currentUser.displayName), 'Ada', round);
        await page.evaluate(() => users.signOut());
        await page.locator('#user', { hasText: 'nobody' }).waitFor();
    }
});
