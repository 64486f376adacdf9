import ArgumentParser
import VGGKit

/// How pictures become the network's input, for every command that reads any: what the weights say, and the options
/// on top.
struct PreparationOptions: ParsableArguments {
    /// A preparation that has a name.
    enum Name: String, ExpressibleByArgument, CaseIterable {
        case imagenet, caffe, plain, garment
    }

    @Option(
        help: """
            How pictures are prepared: imagenet (torchvision's weights), caffe (Caffe's and Keras's), or plain, \
            which is 0…1 and nothing cut off but what makes the picture a square; or as the weights say, but of the garment \
            in the picture alone, grey and bright in the middle of a black square (garment; default: what the run, or the file, \
            says, else imagenet for networks with 3 input channels and plain for those with 1; to train without \
            --init, plain).
            """)
    var preprocessing: Name?

    @Option(
        parsing: .unconditional,
        help: """
            The mean of each channel, or one for all: --mean 0.485,0.456,0.406, of values of 0…1; with a number above \
            1 in it or in --std, of 0…255.
            """)
    var mean: ChannelValues?

    @Option(parsing: .unconditional, help: "The standard deviation, likewise: --std 0.229,0.224,0.225.")
    var std: ChannelValues?

    @Option(
        parsing: .unconditional,
        help: """
            Resize the shorter side to so many pixels before the square of --size is cut out of the middle (default: \
            in proportion to --size, as the preparation has it).
            """)
    var resize: Int?

    var isGiven: Bool { preprocessing != nil || mean != nil || std != nil || resize != nil }

    /// What no network could take.
    func validate() throws {
        try ValidationError.check("--resize", resize, in: 1...Preprocessing.maximumSize)
        for (name, option) in [("--mean", mean), ("--std", std)] {
            guard let values = option?.values else { continue }
            guard [1, 3].contains(values.count) else {
                throw ValidationError(
                    "\(name) needs one number for all channels or three, not \(values.count)")
            }
            guard values.allSatisfy({ $0.isFinite && ($0 > 0 || name == "--mean") }) else {
                throw ValidationError(
                    "\(name) must be finite numbers\(name == "--std" ? " above 0" : ""), not \(option?.text ?? "")"
                )
            }
        }
    }

    /// - Parameter size: the value of `--size`, if it was given.
    func validate(size: Int?) throws {
        try ValidationError.check("--size", size, in: 1...Preprocessing.maximumSize)
        if let size, let resize { try Self.check(resize: resize, size: size) }
    }

    private static func check(resize: Int, size: Int) throws {
        guard resize < size else { return }
        throw ValidationError(
            "--resize must be at least \(size), the size of what the network sees, not \(resize)")
    }

    /// The one place that decides it.
    /// - Parameters:
    ///   - own: what goes for the weights without options.
    ///   - channels: the network's input channels.
    ///   - size: the network's input size, if it was given.
    /// - Throws: a validation error if pictures cannot be prepared so, or not for the channels.
    func preprocessing(own: Preprocessing, channels: Int, size: Int?) throws -> Preprocessing {
        guard [1, 3].contains(channels) else {
            throw ValidationError(
                "the network has \(channels) input channels, but pictures have 3, or 1 as grey ones")
        }
        let base = try ValidationError.wrapping {
            let named = try named(own, channels: channels)
            let size = size ?? own.size
            guard let resize else { return try named.resized(to: size) }
            return try Preprocessing(
                resize: max(resize, size), size: size, channels: named.channels, range: named.range,
                mean: named.mean, std: named.std, subject: named.subject)
        }
        guard base.channels.count == channels else {
            throw ValidationError(
                "the network has \(Text.count(channels, "input channel")), but photos are prepared with "
                    + "\(base.channels.count); use --preprocessing plain")
        }
        if let resize { try Self.check(resize: resize, size: base.size) }
        let numbers = (mean?.values ?? []) + (std?.values ?? [])
        // Where both are given they say it; one goes with the other that the weights have.
        let unlessLarge = mean != nil && std != nil ? .unit : base.range
        let range = numbers.contains { $0 > 1 } ? .byte : unlessLarge
        if range != base.range, mean == nil || std == nil {
            throw ValidationError(
                "\(mean.map { "--mean \($0.text)" } ?? "--std \(std?.text ?? "")") is of values of 0…255; give "
                    + "\(mean == nil ? "--mean" : "--std") of such values, too")
        }
        return try ValidationError.wrapping {
            try Preprocessing(
                resize: resize ?? base.resize, size: base.size, channels: base.channels, range: range,
                mean: values(mean, "--mean", channels) ?? base.mean,
                std: values(std, "--std", channels) ?? base.std, subject: base.subject)
        }
    }

    private func named(_ own: Preprocessing, channels: Int) throws -> Preprocessing {
        switch preprocessing {
        case .imagenet: .imageNet
        case .caffe: .caffe
        case .plain: try .plain(own.size, channels: channels == 1 ? .grey : .rgb)
        case .garment: own.looking(for: .garment)
        case nil: own
        }
    }

    /// One value for each channel.
    private func values(_ option: ChannelValues?, _ name: String, _ channels: Int) throws -> [Float]? {
        guard let values = option?.values else { return nil }
        if values.count == 1 { return Array(repeating: values[0], count: channels) }
        guard values.count == channels else {
            throw ValidationError(
                "\(name) has \(values.count) numbers, but the network \(Text.count(channels, "input channel"))"
            )
        }
        return values
    }
}
