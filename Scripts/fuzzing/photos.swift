import VGGImages

/// Decodes whatever libFuzzer comes up with.
@_cdecl("LLVMFuzzerTestOneInput")
public func decode(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    guard let image = try? RGBImage(decoding: bytes) else { return 0 }
    precondition(image.pixels.count == image.width * image.height * 3)
    if image.pixels.count < 1 << 20, let plain = try? Preprocessing.plain(8) { _ = plain.input(from: image) }
    return 0
}
