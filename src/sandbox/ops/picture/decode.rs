//! From a file to pixels. The pixels of a small file may be many: their number is known from the header, and refused before they are made.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError, Limits};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::geometry::Size;
use super::header::{self, Exif, Format, Header};
use super::pixels::Pixels;
use super::{Halt, Problem};

/// A file whose header has been read.
pub struct Opened<'a> {
    pub format: Format,
    pub header: Header,
    pub size: Size,
    pub exif: Option<Vec<u8>>,
    pub about: Exif,
    pub icc: Option<Vec<u8>>,
    pub xmp: Option<Vec<u8>>,
    pub iptc: Option<Vec<u8>>,
    kind: ColorType,
    decoder: Box<dyn ImageDecoder + 'a>,
}

/// What is asked of an input before it is looked into.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Pixels that it may have; 0 where that is not bounded.
    pub pixels_max: u64,
    /// Whether a file that ends too soon is an error.
    pub must_be_whole: bool,
}

fn corrupt(error: &ImageError) -> Problem {
    Problem::new(format!("Input buffer has corrupt header: {error}"))
}

/// Reads a file's header.
pub fn open<'a>(data: &'a [u8], bounds: Bounds, halt: &Halt) -> Result<Opened<'a>, Problem> {
    let format = Format::of(data)?;
    let header = header::read(format, data);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(halt.bytes_max);
    let source = Cursor::new(data);
    let mut decoder: Box<dyn ImageDecoder + 'a> = match format {
        Format::Jpeg => Box::new(JpegDecoder::new(source).map_err(|error| corrupt(&error))?),
        Format::Png => Box::new(PngDecoder::with_limits(source, limits.clone()).map_err(|error| corrupt(&error))?),
        Format::WebP => Box::new(WebPDecoder::new(source).map_err(|error| corrupt(&error))?),
        Format::Gif => Box::new(GifDecoder::new(source).map_err(|error| corrupt(&error))?),
    };
    let (width, height) = decoder.dimensions();
    let size = Size { width, height };
    if width == 0 || height == 0 {
        return Err(Problem::new("Input buffer has corrupt header: the picture has no pixels"));
    }
    if bounds.pixels_max > 0 && size.pixels() > bounds.pixels_max {
        return Err(Problem::new("Input image exceeds pixel limit"));
    }
    if header.is_cut && bounds.must_be_whole {
        return Err(Problem::new("VipsJpeg: premature end of JPEG image"));
    }
    decoder.set_limits(limits).map_err(|error| corrupt(&error))?;
    // Where they cannot be read they are as good as not there.
    let exif = decoder.exif_metadata().ok().flatten().filter(|exif| !exif.is_empty());
    let about = exif.as_deref().map(header::exif).unwrap_or_default();
    let exif = exif.map(|exif| match format {
        Format::Jpeg if !exif.starts_with(b"Exif\0\0") => [b"Exif\0\0", &exif[..]].concat(),
        _ => exif,
    });
    let icc = decoder.icc_profile().ok().flatten().filter(|icc| !icc.is_empty());
    let xmp = decoder.xmp_metadata().ok().flatten();
    let iptc = decoder.iptc_metadata().ok().flatten();
    let kind = decoder.color_type();
    Ok(Opened { format, header, size, exif, about, icc, xmp, iptc, kind, decoder })
}

impl Opened<'_> {
    /// The channels that its pixels have.
    pub fn channels(&self) -> usize {
        usize::from(self.kind.channel_count())
    }

    pub fn has_opacity(&self) -> bool {
        self.kind.has_alpha()
    }

    /// Whether its channels have sixteen bits, of which eight are kept.
    pub fn is_deep(&self) -> bool {
        !matches!(self.kind, ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8)
    }

    /// The pixels, in the colours of sRGB unless its own are to be kept.
    pub fn pixels(self, keep_colours: bool, halt: &Halt) -> Result<Pixels, Problem> {
        let (size, channels, deep, format) = (self.size, self.channels(), self.is_deep(), self.format);
        let bytes = self.decoder.total_bytes();
        // What decoders keep besides: coefficients, planes, a frame.
        let besides = match format {
            Format::Jpeg if self.header.is_progressive => size.pixels().saturating_mul(6),
            Format::Jpeg => 0,
            Format::Png => 0,
            Format::WebP => size.pixels().saturating_mul(4),
            Format::Gif => size.pixels().saturating_mul(5),
        };
        halt.room(bytes.saturating_add(besides))?;
        halt.check()?;
        let mut data = vec![0; bytes as usize];
        self.decoder.read_image_boxed(&mut data).map_err(|error| unreadable(format, &error))?;
        halt.check()?;
        if deep {
            // Sixteen bits stand as this machine writes them.
            data = data.chunks_exact(2).map(|two| (u16::from_ne_bytes([two[0], two[1]]) >> 8) as u8).collect();
        }
        let mut pixels = Pixels { size, channels, data };
        if let (Some(icc), false) = (&self.icc, keep_colours) {
            to_srgb(&mut pixels, icc, halt)?;
        }
        Ok(pixels)
    }
}

fn unreadable(format: Format, error: &ImageError) -> Problem {
    match format {
        Format::Png => Problem::new(format!("vipspng: libpng read error: {error}")),
        Format::Jpeg => Problem::new(format!("VipsJpeg: {error}")),
        Format::WebP => Problem::new(format!("webp2vips: unable to read pixels: {error}")),
        Format::Gif => Problem::new(format!("gifload_buffer: {error}")),
    }
}

/// Brings the colours of a profile to sRGB, row by row. A profile that makes no sense is not followed.
fn to_srgb(pixels: &mut Pixels, icc: &[u8], halt: &Halt) -> Result<(), Problem> {
    let layout = match pixels.channels {
        3 => Layout::Rgb,
        4 => Layout::Rgba,
        _ => return Ok(()),
    };
    let Ok(profile) = ColorProfile::new_from_slice(icc) else { return Ok(()) };
    if profile.color_space != DataColorSpace::Rgb {
        return Ok(());
    }
    let Ok(transform) = profile.create_transform_8bit(layout, &ColorProfile::new_srgb(), layout, TransformOptions::default()) else {
        return Ok(());
    };
    let bytes = pixels.row_bytes();
    let mut changed = vec![0; bytes];
    for row in pixels.data.chunks_exact_mut(bytes) {
        halt.check()?;
        if transform.transform(row, &mut changed).is_err() {
            return Ok(());
        }
        row.copy_from_slice(&changed);
    }
    Ok(())
}
