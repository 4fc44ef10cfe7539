//! From pixels to a file.

use image::codecs::gif::GifEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use serde::Deserialize;
use webp::PixelLayout;

use super::pixels::Pixels;
use super::{Halt, Problem};

/// The format of the answer and what it is made with. Names and bounds are sharp's.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// `input` stands for the input's own.
    pub format: String,
    #[serde(default)]
    pub jpeg: Jpeg,
    #[serde(default)]
    pub png: Png,
    #[serde(default)]
    pub webp: WebP,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Jpeg {
    quality: u8,
    progressive: bool,
    chroma_subsampling: String,
    optimise_coding: bool,
}

impl Default for Jpeg {
    fn default() -> Jpeg {
        Jpeg { quality: 80, progressive: false, chroma_subsampling: "4:2:0".into(), optimise_coding: true }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Png {
    compression_level: u8,
    adaptive_filtering: bool,
}

impl Default for Png {
    fn default() -> Png {
        Png { compression_level: 6, adaptive_filtering: false }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WebP {
    quality: u8,
    alpha_quality: u8,
    lossless: bool,
    near_lossless: bool,
    smart_subsample: bool,
    effort: u8,
    exact: bool,
}

impl Default for WebP {
    fn default() -> WebP {
        WebP { quality: 80, alpha_quality: 100, lossless: false, near_lossless: false, smart_subsample: false, effort: 4, exact: false }
    }
}

/// A file, and the pixels as they are in it.
pub struct Encoded {
    pub format: &'static str,
    pub data: Vec<u8>,
    pub channels: usize,
}

/// Makes the file. Fails where the format has no room for so wide or high a picture, or is none that is written here.
pub fn encode(pixels: Pixels, format: &str, output: &Output, halt: &Halt) -> Result<Encoded, Problem> {
    let side_max = match format {
        "jpeg" | "gif" => 65_535,
        "webp" => 16_383,
        _ => u32::MAX,
    };
    if pixels.size.width > side_max || pixels.size.height > side_max {
        return Err(Problem::new(format!("Processed image is too large for the {} format", format.to_uppercase().replace("WEBP", "WebP"))));
    }
    // Compressed data may be larger than what it was made of; encoders keep a copy in their own form.
    halt.room((pixels.data.len() as u64).saturating_mul(3))?;
    halt.check()?;
    match format {
        "jpeg" => jpeg(pixels.flatten([0, 0, 0, 255]), &output.jpeg),
        "png" => png(pixels, &output.png),
        "webp" => webp(pixels.rgb(), &output.webp),
        "gif" => gif(pixels.rgb().with_opacity(255)),
        "raw" => Ok(Encoded { format: "raw", channels: pixels.channels, data: pixels.data }),
        other => Err(Problem::new(format!("Unsupported output format {other}"))),
    }
}

fn failed(format: &str, why: impl std::fmt::Display) -> Problem {
    Problem::new(format!("{format}: {why}"))
}

fn jpeg(pixels: Pixels, how: &Jpeg) -> Result<Encoded, Problem> {
    let channels = pixels.channels;
    let mut data = Vec::new();
    let mut encoder = Encoder::new(&mut data, how.quality.clamp(1, 100));
    encoder.set_sampling_factor(if how.chroma_subsampling == "4:4:4" { SamplingFactor::F_1_1 } else { SamplingFactor::F_2_2 });
    encoder.set_progressive(how.progressive);
    encoder.set_optimized_huffman_tables(how.optimise_coding);
    encoder.set_density(jpeg_encoder::PixelDensity::dpi(72));
    let (width, height) = (pixels.size.width as u16, pixels.size.height as u16);
    let kind = if channels == 1 { ColorType::Luma } else { ColorType::Rgb };
    encoder.encode(&pixels.data, width, height, kind).map_err(|error| failed("VipsJpeg", error))?;
    Ok(Encoded { format: "jpeg", data, channels })
}

fn png(pixels: Pixels, how: &Png) -> Result<Encoded, Problem> {
    let mut data = Vec::new();
    let level = CompressionType::Level(how.compression_level.clamp(1, 9));
    let level = if how.compression_level == 0 { CompressionType::Uncompressed } else { level };
    let filter = if how.adaptive_filtering { FilterType::Adaptive } else { FilterType::NoFilter };
    let kind = match pixels.channels {
        1 => ExtendedColorType::L8,
        2 => ExtendedColorType::La8,
        3 => ExtendedColorType::Rgb8,
        _ => ExtendedColorType::Rgba8,
    };
    let encoder = PngEncoder::new_with_quality(&mut data, level, filter);
    encoder.write_image(&pixels.data, pixels.size.width, pixels.size.height, kind).map_err(|error| failed("vipspng", error))?;
    Ok(Encoded { format: "png", data, channels: pixels.channels })
}

fn webp(pixels: Pixels, how: &WebP) -> Result<Encoded, Problem> {
    let layout = if pixels.has_opacity() { PixelLayout::Rgba } else { PixelLayout::Rgb };
    let mut config = webp::WebPConfig::new().map_err(|()| failed("webpsave", "no configuration"))?;
    config.quality = f32::from(how.quality.min(100));
    config.alpha_quality = i32::from(how.alpha_quality.min(100));
    config.lossless = i32::from(how.lossless || how.near_lossless);
    if how.near_lossless {
        config.near_lossless = i32::from(how.quality.min(100));
    }
    config.use_sharp_yuv = i32::from(how.smart_subsample);
    config.method = i32::from(how.effort.min(6));
    config.exact = i32::from(how.exact);
    let encoder = webp::Encoder::new(&pixels.data, layout, pixels.size.width, pixels.size.height);
    let data = encoder.encode_advanced(&config).map_err(|error| failed("webpsave", format!("{error:?}")))?.to_vec();
    Ok(Encoded { format: "webp", data, channels: pixels.channels })
}

fn gif(pixels: Pixels) -> Result<Encoded, Problem> {
    let mut data = Vec::new();
    let mut encoder = GifEncoder::new(&mut data);
    let encoded = encoder.encode(&pixels.data, pixels.size.width, pixels.size.height, ExtendedColorType::Rgba8);
    encoded.map_err(|error| failed("gifsave", error))?;
    drop(encoder);
    Ok(Encoded { format: "gif", data, channels: 4 })
}
