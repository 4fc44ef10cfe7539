'use strict';

const { EmuError } = require('./errors.cjs');

const ENTITIES = { amp: '&', quot: '"', apos: "'", lt: '<', gt: '>' };

/** The characters that HTML writes in a roundabout way. */
const decoded = (html) =>
  html.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,4}));/gi, (whole, decimal, hex, name) => {
    if (name) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = decimal ? Number(decimal) : parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });

/** A mail that emu kept in place of sending it. */
class Mail {
  constructor({ at, ...fields }) {
    Object.assign(this, fields, { at: new Date(at) });
  }

  /** The addresses of all links, as they stand in the HTML and then in the text, each once. */
  links() {
    const hrefs = [...(this.html ?? '').matchAll(/\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))/gi)];
    const html = hrefs.map(([, double, single, bare]) => decoded(double ?? single ?? bare).trim());
    const text = [...(this.text ?? '').matchAll(/https?:\/\/[^\s<>"']+/gi)].map(([url]) => url.replace(/[.,;:!?)\]}]+$/, ''));
    return [...new Set([...html, ...text])].filter((link) => link && !link.startsWith('#'));
  }

  /** The first link, or the first that contains a text or fits an expression. */
  link(match = '') {
    const links = this.links();
    const found = links.find((link) => (match instanceof RegExp ? fits(match, link) : link.includes(match)));
    if (found !== undefined) return found;
    const there = links.length === 0 ? 'it has none' : `it has ${links.join(', ')}`;
    throw new EmuError(`the mail \`${this.subject}\` has no link${match === '' ? '' : ` with ${match}`}; ${there}`);
  }
}

/** An expression with the flag `g` remembers where it was; this one does not. */
const fits = (expression, text) => new RegExp(expression.source, expression.flags.replace(/[gy]/g, '')).test(text);

/** A mail in a line, for messages. */
const told = (mail) => `\`${mail.subject}\` to ${[...mail.to, ...mail.cc, ...mail.bcc].join(', ')}`;

module.exports = { Mail, fits, told };
