//! What a picture's file tells before its pixels are looked at. Every length in it is hostile.

use super::Problem;

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
    WebP,
    Gif,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Format::Jpeg => "jpeg",
            Format::Png => "png",
            Format::WebP => "webp",
            Format::Gif => "gif",
        }
    }

    /// The format of a file, by its first bytes. What sharp reads and the sandbox does not is named.
    pub fn of(data: &[u8]) -> Result<Format, Problem> {
        let brand = |at: usize| data.get(at..at + 4).unwrap_or_default();
        let text = data.trim_ascii_start();
        let elsewhere = match data {
            [0xff, 0xd8, 0xff, ..] => return Ok(Format::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => return Ok(Format::Png),
            [b'R', b'I', b'F', b'F', ..] if brand(8) == b"WEBP" => return Ok(Format::WebP),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => return Ok(Format::Gif),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => "TIFF",
            [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => "JPEG XL",
            [0, 0, 0, 12, b'j', b'P', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => "JPEG 2000",
            [b'%', b'P', b'D', b'F', ..] => "PDF",
            _ if brand(4) == b"ftyp" && matches!(brand(8), b"avif" | b"avis") => "AVIF",
            _ if brand(4) == b"ftyp" && matches!(brand(8), b"heic" | b"heix" | b"mif1" | b"msf1" | b"hevc") => "HEIF",
            _ if text.starts_with(b"<svg") || (text.starts_with(b"<?xml") && text.windows(4).take(1_000).any(|part| part == b"<svg")) => {
                "SVG"
            }
            _ => return Err(Problem::new("Input buffer contains unsupported image format")),
        };
        Err(super::missing(&format!("{elsewhere} input")))
    }
}

/// What a file's own words add to what its decoder tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Header {
    pub is_progressive: bool,
    pub is_palette: bool,
    pub is_cmyk: bool,
    pub bits_per_sample: Option<u8>,
    /// As JPEG writes it: `4:2:0`.
    pub chroma: Option<&'static str>,
    /// Pixels an inch.
    pub density: Option<u32>,
    pub animation: Option<Animation>,
    /// The file ends before its pixels do.
    pub is_cut: bool,
}

/// Several pictures in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Animation {
    /// How often it is shown; 0 for ever.
    pub repeats: u32,
    /// Milliseconds for which each picture is shown.
    pub delays_ms: Vec<u32>,
}

/// Reads what there is to read; what makes no sense is left out, and is the decoder's to complain about.
pub fn read(format: Format, data: &[u8]) -> Header {
    match format {
        Format::Jpeg => jpeg(data),
        Format::Png => png(data),
        Format::WebP => webp(data),
        Format::Gif => gif(data),
    }
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

fn jpeg(data: &[u8]) -> Header {
    // Where a file does not say, 72 is what EXIF takes for granted.
    let mut header = Header { density: Some(72), ..Header::default() };
    let mut at = 2;
    while let (Some(0xff), Some(&marker), Some(length)) = (data.get(at), data.get(at + 1), u16_at(data, at + 2)) {
        let body = data.get(at + 4..at + 2 + usize::from(length)).unwrap_or_default();
        match marker {
            0xff => {
                at += 1;
                continue;
            }
            // Start of frame, of all kinds; C4, C8 and CC are none.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                header.is_progressive = matches!(marker, 0xc2 | 0xc6 | 0xca | 0xce);
                let count = body.get(5).copied().unwrap_or_default();
                header.is_cmyk = count == 4;
                let factors = |component: usize| body.get(6 + component * 3 + 1).map(|both| (both >> 4, both & 15));
                header.chroma = match (count, factors(0), factors(1)) {
                    (4, ..) => Some("4:4:4:4"),
                    (3, Some(first), Some(second)) if first != second => Some(if first.1 > second.1 { "4:2:0" } else { "4:2:2" }),
                    _ => Some("4:4:4"),
                };
            }
            0xe0 if body.starts_with(b"JFIF\0") => {
                header.density = match (body.get(7), u16_at(body, 8)) {
                    (Some(1), Some(inch)) if inch > 1 => Some(u32::from(inch)),
                    (Some(2), Some(centimetre)) if centimetre > 1 => Some((f64::from(centimetre) * 2.54).round() as u32),
                    _ => header.density,
                };
            }
            // The pixels follow, and the mark of the end.
            0xda => {
                header.is_cut = !data.get(at..).unwrap_or_default().windows(2).any(|two| two == [0xff, 0xd9]);
                return header;
            }
            _ => {}
        }
        at += 2 + usize::from(length.max(2));
    }
    header.is_cut = true;
    header
}

fn png(data: &[u8]) -> Header {
    let mut header = Header { bits_per_sample: data.get(24).copied(), ..Header::default() };
    header.is_palette = data.get(25) == Some(&3);
    header.is_progressive = data.get(28) == Some(&1);
    let mut at = 8;
    while let (Some(length), Some(kind)) = (u32_at(data, at), data.get(at + 4..at + 8)) {
        if kind == b"pHYs" && data.get(at + 16) == Some(&1) {
            header.density = u32_at(data, at + 8).map(|metre| (f64::from(metre) * 0.0254).round() as u32).filter(|inch| *inch > 25);
        }
        if kind == b"IDAT" {
            break;
        }
        at = at.saturating_add(12).saturating_add(length as usize);
    }
    header
}

fn webp(data: &[u8]) -> Header {
    let mut animation = None;
    let mut at = 12;
    while let (Some(kind), Some(length)) = (data.get(at..at + 4), data.get(at + 4..at + 8)) {
        let length = u32::from_le_bytes(length.try_into().unwrap_or_default()) as usize;
        let body = data.get(at + 8..).unwrap_or_default();
        match kind {
            b"ANIM" => {
                let repeats = body.get(4..6).map_or(0, |two| u32::from(u16::from_le_bytes([two[0], two[1]])));
                animation = Some(Animation { repeats, delays_ms: Vec::new() });
            }
            b"ANMF" => {
                if let (Some(found), Some(three)) = (&mut animation, body.get(12..15)) {
                    found.delays_ms.push(u32::from_le_bytes([three[0], three[1], three[2], 0]));
                }
            }
            _ => {}
        }
        at = at.saturating_add(8).saturating_add(length.saturating_add(length & 1));
    }
    Header { animation, ..Header::default() }
}

fn gif(data: &[u8]) -> Header {
    let flags = data.get(10).copied().unwrap_or_default();
    let colours = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut animation = Animation { repeats: 1, delays_ms: Vec::new() };
    let mut is_progressive = false;
    let mut delay_ms = 0;
    let mut at = 13 + colours(flags);
    loop {
        match data.get(at) {
            Some(0x21) => {
                let body = data.get(at + 3..).unwrap_or_default();
                match data.get(at + 1) {
                    Some(0xf9) => delay_ms = body.get(1..3).map_or(0, |two| u32::from(u16::from_le_bytes([two[0], two[1]])) * 10),
                    Some(0xff) if body.starts_with(b"NETSCAPE2.0") && body.get(12) == Some(&1) => {
                        animation.repeats = body.get(13..15).map_or(1, |two| match u16::from_le_bytes([two[0], two[1]]) {
                            0 => 0,
                            more => u32::from(more) + 1,
                        });
                    }
                    _ => {}
                }
                at += 2;
            }
            Some(0x2c) => {
                let flags = data.get(at + 9).copied().unwrap_or_default();
                is_progressive |= animation.delays_ms.is_empty() && flags & 0x40 != 0;
                animation.delays_ms.push(std::mem::take(&mut delay_ms));
                // The descriptor, its colours, and how wide the codes are.
                at += 10 + colours(flags) + 1;
            }
            _ => break,
        }
        // Blocks, each with its length, until an empty one.
        loop {
            let length = usize::from(data.get(at).copied().unwrap_or_default());
            at += 1 + length;
            if length == 0 {
                break;
            }
        }
    }
    Header { is_palette: true, is_progressive, bits_per_sample: Some((flags & 7) + 1), animation: Some(animation), ..Header::default() }
}

/// What EXIF tells of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exif {
    /// 1 to 8: how it is to be turned so that it stands upright.
    pub orientation: Option<u8>,
    /// Pixels an inch; 0 where it tells so few that it means nothing.
    pub density: Option<u32>,
    pub unit: Option<&'static str>,
}

/// Reads EXIF, with or without its leading mark.
pub fn exif(data: &[u8]) -> Exif {
    let data = data.strip_prefix(b"Exif\0\0").unwrap_or(data);
    let little = match data {
        [b'I', b'I', 42, 0, ..] => true,
        [b'M', b'M', 0, 42, ..] => false,
        _ => return Exif::default(),
    };
    let short = |at: usize| {
        let two: [u8; 2] = data.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) })
    };
    let long = |at: usize| {
        let four: [u8; 4] = data.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
    };
    let mut exif = Exif::default();
    let mut resolution = None;
    let Some(first) = long(4).map(|at| at as usize) else { return exif };
    let count = usize::from(short(first).unwrap_or_default());
    for entry in 0..count {
        let at = first.saturating_add(2 + entry * 12);
        match short(at) {
            Some(0x0112) => {
                exif.orientation = short(at + 8).and_then(|value| u8::try_from(value).ok()).filter(|value| (1..=8).contains(value))
            }
            Some(0x011a) => {
                let place = long(at + 8).map_or(usize::MAX, |place| place as usize);
                resolution = match (long(place), long(place.saturating_add(4))) {
                    (Some(above), Some(below)) if below > 0 => Some(f64::from(above) / f64::from(below)),
                    _ => None,
                };
            }
            Some(0x0128) => exif.unit = if short(at + 8) == Some(3) { Some("cm") } else { Some("inch") },
            None => break,
            Some(_) => {}
        }
    }
    let inch = resolution.map(|value| if exif.unit == Some("cm") { value * 2.54 } else { value });
    exif.density = inch.map(|inch| if inch > 25.4 && inch < 1e6 { inch.round() as u32 } else { 0 });
    exif
}
