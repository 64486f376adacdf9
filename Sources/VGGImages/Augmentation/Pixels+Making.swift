extension Pixels {
    /// A picture with as many channels whose every byte `write` writes, given the bytes of this one.
    func making(
        height: Int, width: Int,
        _ write: (UnsafeBufferPointer<UInt8>, UnsafeMutableBufferPointer<UInt8>) -> Void
    ) -> Pixels {
        let count = height * width * channels
        let made = [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
            bytes.withUnsafeBufferPointer { input in
                write(input, UnsafeMutableBufferPointer(rebasing: output[..<count]))
            }
            initialized = count
        }
        return Pixels(height: height, width: width, channels: channels, bytes: made[...])
    }

    /// A picture of the same size.
    func making(
        _ write: (UnsafeBufferPointer<UInt8>, UnsafeMutableBufferPointer<UInt8>) -> Void
    ) -> Pixels { making(height: height, width: width, write) }
}
