// The package sharp, whose native code cannot run inside: the same surface, and the host does the work (`ops/picture`). What it takes and
// refuses, and in which words, is as of sharp 0.35.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('sharp', () => {
    const { Duplex } = rt.require('stream');
    emu.log(1, 'sharp is built in: the sandbox runs it natively');

    // ---- what arguments may be
    const defined = (value) => value !== undefined && value !== null;
    const isString = (value) => typeof value === 'string' && value.length > 0;
    const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
    const isPlain = (value) => Object.prototype.toString.call(value) === '[object Object]';
    const wholeIn = (value, low, high) => Number.isInteger(value) && value >= low && value <= high;
    const invalid = (name, expected, actual) => {
      let shown;
      try {
        shown = String(actual).slice(0, 100);
      } catch {}
      return new Error(`Expected ${expected} for ${name} but received ${shown} of type ${typeof actual}`);
    };
    const whole = (name, value, low, high, what = 'integer') => {
      if (!wholeIn(value, low, high)) throw invalid(name, `${what} between ${low} and ${high}`, value);
      return value;
    };
    const bool = (name, value) => {
      if (typeof value !== 'boolean') throw invalid(name, 'boolean', value);
      return value;
    };
    const oneOf = (name, value, known) => {
      if (!known.includes(value)) throw invalid(name, `one of: ${known.join(', ')}`, value);
      return value;
    };
    const SIDE_MAX = 100000000;
    const missing = (what, why) => {
      throw rt.missing(what, 'sharp', why);
    };

    // ---- colours
    const names = new Map('aliceblue:f0f8ff antiquewhite:faebd7 aqua:00ffff aquamarine:7fffd4 azure:f0ffff beige:f5f5dc bisque:ffe4c4 black:000000 blanchedalmond:ffebcd blue:0000ff blueviolet:8a2be2 brown:a52a2a burlywood:deb887 cadetblue:5f9ea0 chartreuse:7fff00 chocolate:d2691e coral:ff7f50 cornflowerblue:6495ed cornsilk:fff8dc crimson:dc143c cyan:00ffff darkblue:00008b darkcyan:008b8b darkgoldenrod:b8860b darkgray:a9a9a9 darkgreen:006400 darkgrey:a9a9a9 darkkhaki:bdb76b darkmagenta:8b008b darkolivegreen:556b2f darkorange:ff8c00 darkorchid:9932cc darkred:8b0000 darksalmon:e9967a darkseagreen:8fbc8f darkslateblue:483d8b darkslategray:2f4f4f darkslategrey:2f4f4f darkturquoise:00ced1 darkviolet:9400d3 deeppink:ff1493 deepskyblue:00bfff dimgray:696969 dimgrey:696969 dodgerblue:1e90ff firebrick:b22222 floralwhite:fffaf0 forestgreen:228b22 fuchsia:ff00ff gainsboro:dcdcdc ghostwhite:f8f8ff gold:ffd700 goldenrod:daa520 gray:808080 green:008000 greenyellow:adff2f grey:808080 honeydew:f0fff0 hotpink:ff69b4 indianred:cd5c5c indigo:4b0082 ivory:fffff0 khaki:f0e68c lavender:e6e6fa lavenderblush:fff0f5 lawngreen:7cfc00 lemonchiffon:fffacd lightblue:add8e6 lightcoral:f08080 lightcyan:e0ffff lightgoldenrodyellow:fafad2 lightgray:d3d3d3 lightgreen:90ee90 lightgrey:d3d3d3 lightpink:ffb6c1 lightsalmon:ffa07a lightseagreen:20b2aa lightskyblue:87cefa lightslategray:778899 lightslategrey:778899 lightsteelblue:b0c4de lightyellow:ffffe0 lime:00ff00 limegreen:32cd32 linen:faf0e6 magenta:ff00ff maroon:800000 mediumaquamarine:66cdaa mediumblue:0000cd mediumorchid:ba55d3 mediumpurple:9370db mediumseagreen:3cb371 mediumslateblue:7b68ee mediumspringgreen:00fa9a mediumturquoise:48d1cc mediumvioletred:c71585 midnightblue:191970 mintcream:f5fffa mistyrose:ffe4e1 moccasin:ffe4b5 navajowhite:ffdead navy:000080 oldlace:fdf5e6 olive:808000 olivedrab:6b8e23 orange:ffa500 orangered:ff4500 orchid:da70d6 palegoldenrod:eee8aa palegreen:98fb98 paleturquoise:afeeee palevioletred:db7093 papayawhip:ffefd5 peachpuff:ffdab9 peru:cd853f pink:ffc0cb plum:dda0dd powderblue:b0e0e6 purple:800080 rebeccapurple:663399 red:ff0000 rosybrown:bc8f8f royalblue:4169e1 saddlebrown:8b4513 salmon:fa8072 sandybrown:f4a460 seagreen:2e8b57 seashell:fff5ee sienna:a0522d silver:c0c0c0 skyblue:87ceeb slateblue:6a5acd slategray:708090 slategrey:708090 snow:fffafa springgreen:00ff7f steelblue:4682b4 tan:d2b48c teal:008080 thistle:d8bfd8 tomato:ff6347 turquoise:40e0d0 violet:ee82ee wheat:f5deb3 white:ffffff whitesmoke:f5f5f5 yellow:ffff00 yellowgreen:9acd32'.split(' ').map((pair) => pair.split(':')));
    const hex = (text) => {
      const digits = text.length < 6 ? [...text].map((digit) => digit + digit).join('') : text;
      const at = (from) => Number.parseInt(digits.slice(from, from + 2), 16);
      return [at(0), at(2), at(4), digits.length === 8 ? at(6) / 255 : 1];
    };
    const fromHsl = (hue, saturation, lightness) => {
      const part = (n) => {
        const k = (n + hue / 30) % 12;
        return lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1));
      };
      return [part(0), part(8), part(4)].map((value) => Math.round(value * 255));
    };
    const parse = (text) => {
      const lower = text.trim().toLowerCase();
      if (lower === 'transparent') return [0, 0, 0, 0];
      if (names.has(lower)) return hex(names.get(lower));
      if (/^#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/.test(lower)) return hex(lower.slice(1));
      const found = /^(rgb|hsl)a?\(\s*([^)]+)\)$/.exec(lower);
      const parts = found?.[2].split(/[\s,/]+/).filter(Boolean);
      if (!found || parts.length < 3 || parts.length > 4) throw new Error(`Unable to parse color from string: ${text}`);
      const number = (part, full) => (part.endsWith('%') ? (Number.parseFloat(part) / 100) * full : Number.parseFloat(part));
      const alpha = parts[3] === undefined ? 1 : number(parts[3], 1);
      const colour = found[1] === 'rgb' ? parts.slice(0, 3).map((part) => number(part, 255)) : fromHsl(((Number.parseFloat(parts[0]) % 360) + 360) % 360, number(parts[1], 1), number(parts[2], 1));
      if ([...colour, alpha].some(Number.isNaN)) throw new Error(`Unable to parse color from string: ${text}`);
      return [...colour, alpha];
    };
    const byte = (value) => Math.min(255, Math.max(0, Math.round(value)));
    const colour = (value) => {
      if (isString(value) && value.length >= 3 && value.length <= 200) {
        const [red, green, blue, alpha] = parse(value);
        return [byte(red), byte(green), byte(blue), byte(alpha * 255)];
      }
      if (value === null || typeof value !== 'object') throw invalid('background', 'object or string', value);
      const parts = Array.isArray(value) ? value : [value.r ?? value.red ?? 0, value.g ?? value.green ?? 0, value.b ?? value.blue ?? 0, value.alpha ?? value.a ?? 1];
      const [red, green, blue, alpha = 1] = parts;
      for (const [name, part] of [['red', red], ['green', green], ['blue', blue], ['alpha', alpha]]) if (!isNumber(part)) throw invalid(`background.${name}`, 'number', part);
      return [byte(red), byte(green), byte(blue), byte(Math.min(1, alpha) * 255)];
    };

    // ---- inputs
    const PIXELS_MAX = 0x3fff ** 2;
    const inputKeys = ['failOn', 'limitInputPixels', 'limitInputChannels', 'unlimited', 'animated', 'autoOrient', 'density', 'ignoreIcc', 'page', 'pages', 'sequentialRead', 'raw', 'create', 'text', 'join', 'tiff', 'svg', 'pdf', 'jp2', 'openSlide'];
    const picked = (object) => {
      const found = inputKeys.filter((key) => defined(object[key]));
      return found.length ? Object.fromEntries(found.map((key) => [key, object[key]])) : undefined;
    };
    const depths = [Uint8Array, Uint8ClampedArray];
    const pixelsOf = (name, options, extra) => {
      if (options === null || typeof options !== 'object' || !wholeIn(options.width, 1, SIDE_MAX) || !wholeIn(options.height, 1, SIDE_MAX) || !extra(options.channels)) throw new Error(name);
      return { width: options.width, height: options.height, channels: options.channels };
    };
    /** What an input is: `{source, file?, bytes?}`; `bytes` an array of chunks where they come by a stream. */
    const describe = (input, options, allowStream) => {
      const made = { source: { kind: 'file', pixelsMax: PIXELS_MAX, mustBeWhole: true, autoOrient: false, ignoreIcc: false } };
      const { source } = made;
      if (isString(input)) made.file = input;
      else if (rt.isBytes(input)) {
        if (input.byteLength === 0) throw new Error(rt.Buffer.isBuffer(input) ? 'Input Buffer is empty' : input instanceof ArrayBuffer ? 'Input bit Array is empty' : 'Input Bit Array is empty');
        made.bytes = rt.bytes(input);
      } else if (isPlain(input) && !defined(options)) {
        options = input;
        if (picked(options)) made.bytes = [];
      } else if (!defined(input) && allowStream) made.bytes = [];
      else if (Array.isArray(input)) missing('joining images');
      else throw new Error(`Unsupported input '${input}' of type ${typeof input}${defined(options) ? ` when also providing options of type ${typeof options}` : ''}`);
      if (!defined(options)) return made;
      if (typeof options !== 'object') throw new Error(`Invalid input options ${options}`);
      if (defined(options.failOn)) source.mustBeWhole = oneOf('failOn', options.failOn, ['none', 'truncated', 'error', 'warning']) !== 'none';
      if (defined(options.autoOrient)) source.autoOrient = bool('autoOrient', options.autoOrient);
      if (defined(options.ignoreIcc)) source.ignoreIcc = bool('ignoreIcc', options.ignoreIcc);
      if (defined(options.limitInputPixels)) {
        if (typeof options.limitInputPixels === 'boolean') source.pixelsMax = options.limitInputPixels ? PIXELS_MAX : 0;
        else if (wholeIn(options.limitInputPixels, 0, Number.MAX_SAFE_INTEGER)) source.pixelsMax = options.limitInputPixels;
        else throw invalid('limitInputPixels', 'positive integer', options.limitInputPixels);
      }
      if (defined(options.animated) && bool('animated', options.animated)) missing('reading more than one page (animated)');
      if (defined(options.pages) && whole('pages', options.pages, -1, 100000) !== 1) missing('reading more than one page (pages)');
      if (defined(options.page) && whole('page', options.page, 0, 100000) !== 0) missing('reading another page than the first (page)');
      if (defined(options.text)) missing('text');
      if (defined(options.raw)) {
        Object.assign(source, pixelsOf('Expected width, height and channels for raw pixel input', options.raw, (channels) => wholeIn(channels, 1, 4)), { kind: 'raw' });
        if (ArrayBuffer.isView(input) && !depths.some((type) => input instanceof type)) missing('raw input of more than eight bits a channel');
        if (options.raw.premultiplied) missing('premultiplied raw input');
        if (defined(options.raw.pageHeight)) missing('raw.pageHeight');
      }
      if (defined(options.create)) {
        Object.assign(source, pixelsOf('Expected valid width, height and channels to create a new input image', options.create, Number.isInteger), { kind: 'create' });
        if (defined(options.create.noise)) missing('noise');
        if (defined(options.create.pageHeight)) missing('create.pageHeight');
        if (!defined(options.create.background)) throw new Error('Expected valid noise or background to create a new input image');
        if (!wholeIn(options.create.channels, 3, 4)) throw invalid('create.channels', 'number between 3 and 4', options.create.channels);
        source.background = colour(options.create.background);
        delete made.bytes;
      }
      return made;
    };
    const content = ({ source, file, bytes }) => {
      if (source.kind === 'create') return undefined;
      if (file === undefined) return Array.isArray(bytes) ? rt.Buffer.concat(bytes) : bytes;
      try {
        return rt.require('fs').readFileSync(file);
      } catch (error) {
        throw new Error(error.code === 'ENOENT' ? `Input file is missing: ${file}` : `Input file cannot be read: ${error.message}`);
      }
    };

    // ---- the host's work, one picture at a time
    let turn = Promise.resolve();
    const inTurn = (request, described) => {
      const work = turn.then(() => {
        const parts = described.map(content).filter((part) => part !== undefined);
        const data = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
        let at = 0;
        for (const part of parts) {
          data.set(part, at);
          at += part.length;
        }
        return new Promise((resolve, reject) => {
          rt.begin('picture', JSON.stringify({ ...request, parts: parts.map((part) => part.length) }), data, (ok, text, bytes) => {
            const told = JSON.parse(text);
            if (ok) resolve([told, bytes ?? new Uint8Array(0)]);
            else reject(new Error(described[0].file === undefined ? told.message : told.message.replace(/^Input buffer /, 'Input file ')));
          });
        });
      });
      turn = work.then(() => {}, () => {});
      return work;
    };

    function Sharp(input, options) {
      if (arguments.length === 1 && !defined(input)) throw new Error('Invalid input');
      if (!(this instanceof Sharp)) return new Sharp(input, options);
      Duplex.call(this);
      const described = describe(input, options, true);
      this.options = {
        input: described, position: 0, resize: {}, resizeBackground: [0, 0, 0, 255], kernel: 'lanczos3', fastShrinkOnLoad: true, angle: 0, degrees: 0, rotationBackground: [0, 0, 0, 255], rotateBefore: false, orientBefore: false, flip: false, flop: false,
        trim: null, extractPre: null, extractPost: null, extend: null, flatten: null, greyscale: false, threshold: 0, thresholdGreyscale: true, blurSigma: 0, blurLeast: 0.2, linear: null, negate: false, negateAlpha: true, composite: [], removeAlpha: false, ensureAlpha: null, extractChannel: null, space: 'srgb',
        format: 'input', jpeg: {}, png: {}, webp: {}, resolveWithObject: false, streamOut: false,
      };
    }
    Object.setPrototypeOf(Sharp.prototype, Duplex.prototype);
    Object.setPrototypeOf(Sharp, Duplex);

    const turns = ({ angle, degrees }) => angle % 360 !== 0 || degrees !== 0;
    const resizes = ({ resize }) => resize.width !== undefined || resize.height !== undefined;
    const gravity = { center: 0, centre: 0, north: 1, east: 2, south: 3, west: 4, northeast: 5, southeast: 6, southwest: 7, northwest: 8 };
    const position = { top: 1, right: 2, bottom: 3, left: 4, 'right top': 5, 'right bottom': 6, 'left bottom': 7, 'left top': 8 };
    const strategy = { entropy: 16, attention: 17 };
    const fits = ['contain', 'cover', 'fill', 'inside', 'outside'];
    const kernels = ['nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3', 'mks2013', 'mks2021'];
    const blends = ['clear', 'source', 'over', 'in', 'out', 'atop', 'dest', 'dest-over', 'dest-in', 'dest-out', 'dest-atop', 'xor', 'add', 'saturate', 'multiply', 'screen', 'overlay', 'darken', 'lighten', 'colour-dodge', 'color-dodge', 'colour-burn', 'color-burn', 'hard-light', 'soft-light', 'difference', 'exclusion'];
    const formats = new Map([['heic', 'heif'], ['heif', 'heif'], ['avif', 'avif'], ['jpeg', 'jpeg'], ['jpg', 'jpeg'], ['jpe', 'jpeg'], ['tile', 'tile'], ['dz', 'tile'], ['png', 'png'], ['raw', 'raw'], ['tiff', 'tiff'], ['tif', 'tiff'], ['webp', 'webp'], ['gif', 'gif'], ['jp2', 'jp2'], ['jpx', 'jp2'], ['j2k', 'jp2'], ['j2c', 'jp2'], ['jxl', 'jxl']]);

    /** Sets options of an output format: each key with its check, in `checks`. */
    const setFormat = (self, format, options, checks) => {
      if (defined(options) && typeof options === 'object') {
        for (const [key, check] of Object.entries(checks)) if (defined(options[key])) check(options[key], self.options[format]);
      }
      if (!(defined(options) && typeof options === 'object' && options.force === false)) self.options.format = format;
      return self;
    };
    const keep = (key, check) => (value, into) => { into[key] = check(key, value); };
    const ranged = (low, high) => (name, value) => whole(name, value, low, high);
    const unsupported = (key) => (value) => { if (value !== false) missing(key); };

    const methods = {
      clone() {
        const copy = new Sharp();
        copy.options = { ...structuredClone({ ...this.options, input: undefined, composite: undefined }), input: { ...this.options.input, source: { ...this.options.input.source } }, composite: this.options.composite };
        if (this._isStreamInput()) this._whenInputIsWhole(() => {
          copy.options.input.bytes = rt.Buffer.concat(this.options.input.bytes);
          copy.emit('finish');
        });
        return copy;
      },
      resize(widthOrOptions, height, options) {
        const size = {};
        const side = (name, value) => {
          if (!wholeIn(value, 1, SIDE_MAX)) throw invalid(name, `positive integer between 1 and ${SIDE_MAX}`, value);
          size[name] = value;
        };
        if (defined(widthOrOptions)) {
          if (typeof widthOrOptions === 'object' && !defined(options)) options = widthOrOptions;
          else side('width', widthOrOptions);
        }
        if (defined(height)) side('height', height);
        const { resize } = this.options;
        if (defined(options) && typeof options === 'object') {
          if (defined(options.width)) side('width', options.width);
          if (defined(options.height)) side('height', options.height);
          if (defined(options.fit)) {
            if (!fits.includes(options.fit)) throw invalid('fit', 'valid fit', options.fit);
            resize.fit = options.fit;
          }
          const wanted = options.position ?? options.gravity;
          if (defined(wanted)) {
            const found = Number.isInteger(wanted) ? wanted : strategy[wanted] || position[wanted] || gravity[wanted];
            if (!wholeIn(found, 0, 8) && !wholeIn(found, 16, 17)) throw invalid('position', 'valid position/gravity/strategy', wanted);
            if (found > 8) missing(`the strategy ${found === 16 ? 'entropy' : 'attention'}`);
            resize.position = found;
          }
          if (defined(options.background)) this.options.resizeBackground = colour(options.background);
          if (defined(options.kernel)) {
            if (!kernels.includes(options.kernel)) throw invalid('kernel', 'valid kernel name', options.kernel);
            this.options.kernel = options.kernel;
          }
          for (const key of ['withoutEnlargement', 'withoutReduction']) if (defined(options[key])) resize[key] = bool(key, options[key]);
          if (defined(options.fastShrinkOnLoad)) this.options.fastShrinkOnLoad = bool('fastShrinkOnLoad', options.fastShrinkOnLoad);
        }
        this.options.resize = { ...resize, width: size.width, height: size.height };
        if (turns(this.options) && resizes(this.options)) this.options.rotateBefore = true;
        return this;
      },
      extract(area) {
        const post = resizes(this.options) || this.options.extractPre !== null;
        const made = {};
        for (const name of ['left', 'top', 'width', 'height']) made[name] = whole(name, area[name], 0, SIDE_MAX);
        const first = this.options.extractPre === null || this.options.extractPost === null;
        this.options[post ? 'extractPost' : 'extractPre'] = made;
        if (turns(this.options) && !resizes(this.options) && first) this.options.rotateBefore = true;
        if (this.options.input.source.autoOrient) this.options.orientBefore = true;
        return this;
      },
      trim(options) {
        const trim = { background: null, threshold: 10, lineArt: false, margin: 0 };
        if (defined(options)) {
          if (typeof options !== 'object') throw invalid('trim', 'object', options);
          if (defined(options.background)) trim.background = colour(options.background);
          if (defined(options.threshold)) {
            if (!isNumber(options.threshold) || options.threshold < 0) throw invalid('threshold', 'positive number', options.threshold);
            trim.threshold = options.threshold;
          }
          if (defined(options.lineArt)) trim.lineArt = bool('trimLineArt', options.lineArt);
          if (defined(options.margin)) trim.margin = whole('margin', options.margin, 0, 10000000);
        }
        this.options.trim = trim;
        if (turns(this.options)) this.options.rotateBefore = true;
        return this;
      },
      extend(extend) {
        const made = { top: 0, bottom: 0, left: 0, right: 0, background: [0, 0, 0, 255], with: 'background', ...this.options.extend };
        if (Number.isInteger(extend)) {
          whole('extend', extend, 1, SIDE_MAX);
          Object.assign(made, { top: extend, bottom: extend, left: extend, right: extend });
        } else if (extend !== null && typeof extend === 'object') {
          for (const side of ['top', 'bottom', 'left', 'right']) if (defined(extend[side])) made[side] = whole(side, extend[side], 0, SIDE_MAX);
          if (defined(extend.background)) made.background = colour(extend.background);
          if (defined(extend.extendWith)) made.with = oneOf('extendWith', extend.extendWith, ['background', 'copy', 'repeat', 'mirror']);
        } else throw invalid('extend', 'integer or object', extend);
        this.options.extend = made;
        return this;
      },
      rotate(angle, options) {
        if (!defined(angle)) return this.autoOrient();
        this.options.angle = 0;
        this.options.degrees = 0;
        if (Number.isInteger(angle) && angle % 90 === 0) this.options.angle = angle;
        else if (isNumber(angle)) {
          this.options.degrees = angle;
          if (defined(options) && options.background) this.options.rotationBackground = colour(options.background);
        } else throw invalid('angle', 'numeric', angle);
        return this;
      },
      autoOrient() {
        this.options.input.source.autoOrient = true;
        return this;
      },
      flip(flip) {
        this.options.flip = typeof flip === 'boolean' ? flip : true;
        return this;
      },
      flop(flop) {
        this.options.flop = typeof flop === 'boolean' ? flop : true;
        return this;
      },
      flatten(options) {
        this.options.flatten = options === false ? null : [0, 0, 0, 255];
        if (defined(options?.background)) this.options.flatten = colour(options.background);
        return this;
      },
      greyscale(greyscale) {
        this.options.greyscale = typeof greyscale === 'boolean' ? greyscale : true;
        return this;
      },
      grayscale(grayscale) { return this.greyscale(grayscale); },
      negate(options) {
        this.options.negate = typeof options === 'boolean' ? options : true;
        if (isPlain(options) && 'alpha' in options) {
          if (typeof options.alpha !== 'boolean') throw invalid('alpha', 'should be boolean value', options.alpha);
          this.options.negateAlpha = options.alpha;
        }
        return this;
      },
      blur(options) {
        let sigma = options;
        if (isPlain(options)) {
          if (!isNumber(options.sigma)) throw invalid('options.sigma', 'number between 0.3 and 1000', options.sigma);
          sigma = options.sigma;
          if ('precision' in options) oneOf('precision', options.precision, ['integer', 'float', 'approximate']);
          if ('minAmplitude' in options) {
            if (!isNumber(options.minAmplitude) || options.minAmplitude < 0.001 || options.minAmplitude > 1) throw invalid('minAmplitude', 'number between 0.001 and 1', options.minAmplitude);
            this.options.blurLeast = options.minAmplitude;
          }
        }
        if (!defined(options) || options === true) this.options.blurSigma = -1;
        else if (options === false) this.options.blurSigma = 0;
        else if (isNumber(sigma) && sigma >= 0.3 && sigma <= 1000) this.options.blurSigma = sigma;
        else throw invalid('sigma', 'number between 0.3 and 1000', sigma);
        return this;
      },
      threshold(threshold, options) {
        if (!defined(threshold)) this.options.threshold = 128;
        else if (typeof threshold === 'boolean') this.options.threshold = threshold ? 128 : 0;
        else this.options.threshold = whole('threshold', threshold, 0, 255);
        this.options.thresholdGreyscale = !(defined(options) && typeof options === 'object') || options.greyscale === true || options.grayscale === true;
        return this;
      },
      linear(a, b) {
        if (!defined(a) && isNumber(b)) a = 1;
        else if (isNumber(a) && !defined(b)) b = 0;
        const list = (name, value) => {
          if (!defined(value)) return [];
          if (isNumber(value)) return [value];
          if (Array.isArray(value) && value.length > 0 && value.every(isNumber)) return value;
          throw invalid(name, 'number or array of numbers', value);
        };
        const lines = [list('a', a), list('b', b)];
        if (lines[0].length !== lines[1].length) throw new Error('Expected a and b to be arrays of the same length');
        this.options.linear = lines[0].length ? lines : null;
        return this;
      },
      removeAlpha() {
        this.options.removeAlpha = true;
        return this;
      },
      ensureAlpha(alpha) {
        if (defined(alpha) && !(isNumber(alpha) && alpha >= 0 && alpha <= 1)) throw invalid('alpha', 'number between 0 and 1', alpha);
        this.options.ensureAlpha = alpha ?? 1;
        return this;
      },
      extractChannel(channel) {
        const found = { red: 0, green: 1, blue: 2, alpha: 3 }[channel] ?? channel;
        if (!wholeIn(found, 0, 4)) throw invalid('channel', 'integer or one of: red, green, blue, alpha', channel);
        this.options.extractChannel = found;
        return this;
      },
      toColourspace(space) {
        if (!isString(space)) throw invalid('colourspace', 'string', space);
        if (!['srgb', 'b-w', 'bw'].includes(space)) missing(`the colour space ${space}`);
        this.options.space = space;
        return this;
      },
      toColorspace(space) { return this.toColourspace(space); },
      composite(images) {
        if (!Array.isArray(images)) throw invalid('images to composite', 'array', images);
        this.options.composite = images.map((image) => {
          if (image === null || typeof image !== 'object') throw invalid('image to composite', 'object', image);
          const described = describe(image.input, picked(image), false);
          const over = { blend: 'over', tile: false, offset: null, gravity: 0 };
          if (defined(image.blend)) {
            if (!blends.includes(image.blend)) throw invalid('blend', 'valid blend name', image.blend);
            over.blend = image.blend.replace('color', 'colour');
          }
          if (defined(image.tile)) over.tile = bool('tile', image.tile);
          for (const side of ['left', 'top']) if (defined(image[side])) whole(side, image[side], -SIDE_MAX, SIDE_MAX);
          if (defined(image.top) !== defined(image.left)) throw new Error('Expected both left and top to be set');
          if (defined(image.top)) over.offset = [image.left, image.top];
          if (defined(image.gravity)) {
            const found = Number.isInteger(image.gravity) ? image.gravity : gravity[image.gravity];
            if (!wholeIn(found, 0, 8)) throw invalid('gravity', 'valid gravity', image.gravity);
            over.gravity = found;
          }
          if (image.premultiplied) missing('premultiplied overlays');
          return { described, over };
        });
        return this;
      },
      timeout(options) {
        if (!isPlain(options)) throw invalid('options', 'object', options);
        whole('seconds', options.seconds, 0, 3600);
        return this;
      },
      jpeg(options) {
        const mozjpeg = (value, into) => { if (bool('mozjpeg', value)) into.progressive = true; };
        const coding = (value, into) => { into.optimiseCoding = bool('jpegOptimiseCoding', value); };
        return setFormat(this, 'jpeg', options, {
          quality: keep('quality', ranged(1, 100)), progressive: keep('progressive', (_, value) => bool('jpegProgressive', value)), chromaSubsampling: keep('chromaSubsampling', (name, value) => oneOf(name, value, ['4:2:0', '4:4:4'])), optimiseCoding: coding, optimizeCoding: coding, mozjpeg,
          // How hard libjpeg tries for fewer bytes: the picture is the same.
          trellisQuantisation: (value) => bool('jpegTrellisQuantisation', value), trellisQuantization: (value) => bool('jpegTrellisQuantisation', value), overshootDeringing: (value) => bool('jpegOvershootDeringing', value),
          optimiseScans: (value, into) => { if (bool('jpegOptimiseScans', value)) into.progressive = true; }, optimizeScans: (value, into) => { if (bool('jpegOptimiseScans', value)) into.progressive = true; },
          quantisationTable: unsupported('quantisationTable'), quantizationTable: unsupported('quantizationTable'),
        });
      },
      png(options) {
        for (const key of ['quality', 'effort', 'colours', 'colors', 'dither']) if (defined(options?.[key])) missing(`png with a palette (${key})`);
        return setFormat(this, 'png', options, {
          compressionLevel: keep('compressionLevel', ranged(0, 9)), adaptiveFiltering: keep('adaptiveFiltering', (_, value) => bool('pngAdaptiveFiltering', value)), progressive: (value) => { if (bool('pngProgressive', value)) missing('progressive png'); }, palette: (value) => { if (bool('pngPalette', value)) missing('png with a palette'); },
        });
      },
      webp(options) {
        const flag = (key, name) => keep(key, (_, value) => bool(name, value));
        return setFormat(this, 'webp', options, {
          quality: keep('quality', ranged(1, 100)), alphaQuality: keep('alphaQuality', ranged(0, 100)), lossless: flag('lossless', 'webpLossless'), nearLossless: flag('nearLossless', 'webpNearLossless'), smartSubsample: flag('smartSubsample', 'webpSmartSubsample'), effort: keep('effort', ranged(0, 6)), exact: flag('exact', 'webpExact'),
          preset: (value) => { if (oneOf('preset', value, ['default', 'photo', 'picture', 'drawing', 'icon', 'text']) !== 'default') missing(`the webp preset ${value}`); },
          smartDeblock: (value) => bool('webpSmartDeblock', value), minSize: (value) => bool('webpMinSize', value), mixed: (value) => bool('webpMixed', value), loop: unsupported('animated webp (loop)'), delay: unsupported('animated webp (delay)'),
        });
      },
      gif(options) {
        for (const key of ['colours', 'colors', 'dither', 'loop', 'delay', 'progressive']) if (defined(options?.[key])) missing(`gif with ${key}`);
        return setFormat(this, 'gif', options, {});
      },
      raw(options) {
        if (defined(options?.depth) && options.depth !== 'uchar') missing(`raw output of depth ${options.depth}`);
        return setFormat(this, 'raw', options, {});
      },
      toFormat(format, options) {
        const found = formats.get(String(isString(format?.id) ? format.id : format).toLowerCase());
        if (!found) throw invalid('format', `one of: ${[...formats.keys()].join(', ')}`, format);
        return this[found](options);
      },
      metadata(done) {
        return this._answer(done, async () => {
          const [told, bytes] = await inTurn({ want: 'metadata', input: this.options.input.source }, [this.options.input]);
          const { blobs, ...metadata } = told;
          if (this.options.input.file !== undefined) delete metadata.size;
          let at = 0;
          for (const [name, length] of Object.entries(blobs)) {
            metadata[name] = rt.Buffer.from(bytes.subarray(at, at + length));
            if (name === 'xmp') metadata.xmpAsString = rt.fromUtf8(metadata.xmp);
            at += length;
          }
          return [metadata];
        });
      },
      toBuffer(options, done) {
        if (defined(options) && typeof options === 'object') this.options.resolveWithObject = bool('resolveWithObject', options.resolveWithObject);
        else this.options.resolveWithObject = false;
        return this._answer(typeof options === 'function' ? options : done, () => this._make(), this.options.resolveWithObject);
      },
      toUint8Array() {
        return this._answer(undefined, async () => {
          const [data, info] = await this._make();
          return [new Uint8Array(data), info];
        }, true);
      },
      toFile(path, done) {
        const extension = /\.(\w+)$/.exec(String(path))?.[1].toLowerCase();
        return this._answer(done, async () => {
          if (!isString(path)) throw new Error('Missing output file path');
          const fs = rt.require('fs');
          const resolve = (name) => rt.require('path').resolve(name);
          if (this.options.input.file !== undefined && resolve(this.options.input.file) === resolve(path)) throw new Error('Cannot use same file for input and output');
          const named = formats.get(extension);
          if (this.options.format === 'input' && named) this[named]();
          const [data, info] = await this._make();
          fs.writeFileSync(path, data);
          return [info];
        });
      },
      // ---- the inner workings
      _isStreamInput() { return Array.isArray(this.options.input.bytes); },
      _whenInputIsWhole(then) {
        if (!this._isStreamInput() || this.writableFinished) then();
        else this.once('finish', then);
      },
      _write(chunk, encoding, done) {
        if (!this._isStreamInput()) return done(new Error('Unexpected data on Writable Stream'));
        if (!rt.isBytes(chunk)) return done(new Error('Non-Buffer data on Writable Stream'));
        this.options.input.bytes.push(chunk);
        done();
      },
      _read() {
        if (this.options.streamOut) return;
        this.options.streamOut = true;
        this._whenInputIsWhole(() => this._make().then(([data, info]) => {
          this.emit('info', info);
          this.push(data);
          this.push(null);
        }, (error) => this.destroy(error)));
      },
      /** Answers a callback or a promise with what `work` gives: one value, or an object of data and info. */
      _answer(done, work, asObject) {
        const stack = new Error();
        const made = new Promise((resolve, reject) => this._whenInputIsWhole(() => work().then(resolve, reject))).catch((error) => {
          // The stack of the caller says more than the host's.
          stack.message = error.message;
          if (error.code) stack.code = error.code;
          throw stack;
        });
        if (typeof done === 'function') {
          made.then((values) => rt.nextTick(done, null, ...values), (error) => rt.nextTick(done, error));
          return this;
        }
        return made.then(([data, info]) => (asObject ? { data, info } : data));
      },
      async _make() {
        const { input, resize, angle, space, format, jpeg, png, webp, composite, resolveWithObject, streamOut, position, ...steps } = this.options;
        const request = {
          want: 'picture', input: input.source, output: { format, jpeg, png, webp },
          steps: { ...steps, resize, quarters: (((angle / 90) % 4) + 4) % 4, autoOrient: input.source.autoOrient, greyOutput: space !== 'srgb', isRawOutput: format === 'raw' || (format === 'input' && input.source.kind !== 'file'), composite: composite.map(({ described, over }) => ({ ...over, input: described.source })) },
        };
        const [info, bytes] = await inTurn(request, [input, ...composite.map(({ described }) => described)]);
        return [rt.wrapBuffer(bytes), info];
      },
    };
    for (const [name, method] of Object.entries(methods)) Object.defineProperty(Sharp.prototype, name, { value: method, writable: true, configurable: true });
    // What the sandbox has no code for says so where it is asked for.
    for (const name of ['affine', 'sharpen', 'median', 'dilate', 'erode', 'unflatten', 'gamma', 'normalise', 'normalize', 'clahe', 'convolve', 'boolean', 'recomb', 'modulate', 'tint', 'pipelineColourspace', 'pipelineColorspace', 'joinChannel', 'bandbool', 'stats', 'tiff', 'avif', 'heif', 'jp2', 'jxl', 'tile', 'keepExif', 'withExif', 'withExifMerge', 'keepIccProfile', 'withIccProfile', 'keepXmp', 'withXmp', 'keepGainMap', 'withGainMap', 'keepMetadata', 'withMetadata', 'withDensity']) {
      Object.defineProperty(Sharp.prototype, name, { value: { [name]() { missing(name); } }[name], writable: true, configurable: true });
    }
    const format = (id, input, output) => ({ id, input: { file: input, buffer: input, stream: input }, output: { file: output, buffer: output, stream: output } });
    const { EventEmitter } = rt.require('events');
    return Object.assign(Sharp, {
      gravity, position, strategy, blend: Object.fromEntries(blends.map((name) => [name, name.replace('color', 'colour')])), fit: Object.fromEntries(fits.map((name) => [name, name])), kernel: Object.fromEntries(kernels.map((name) => [name, name])),
      colourspace: { multiband: 'multiband', 'b-w': 'b-w', bw: 'b-w', cmyk: 'cmyk', srgb: 'srgb' }, colorspace: { multiband: 'multiband', 'b-w': 'b-w', bw: 'b-w', cmyk: 'cmyk', srgb: 'srgb' }, bool: { and: 'and', or: 'or', eor: 'eor' }, interpolators: { nearest: 'nearest', bilinear: 'bilinear', bicubic: 'bicubic', locallyBoundedBicubic: 'lbb', nohalo: 'nohalo', vertexSplitQuadraticBasisSpline: 'vsqbs' },
      format: Object.fromEntries([['jpeg', true], ['png', true], ['webp', true], ['gif', true], ['tiff', false], ['heif', false], ['svg', false], ['jp2', false], ['jxl', false]].map(([id, has]) => [id, format(id, has, has)]).concat([['raw', format('raw', true, true)]])),
      versions: { sharp: '0.35.0', vips: '8.18.0' }, queue: new EventEmitter(), cache: () => ({ memory: { current: 0, high: 0, max: 0 }, files: { current: 0, max: 0 }, items: { current: 0, max: 0 } }), concurrency: () => 1, counters: () => ({ queue: 0, process: 0 }), simd: () => false, block() {}, unblock() {},
    });
  });
})(globalThis.__emu);
