import VGGEngine

/// The number formats that kernels are compiled for: a step's, one after the other.
///
/// In mixed precision weights and maps are stored as the upper halves of floats, products are made of such numbers, and sums, the
/// parameters themselves and their gradients are in single precision, as on the processor. Maps between a step of mixed precision
/// and one without are of 32 bits, and are rounded on the way.
package struct NumberFormats: Hashable, Sendable {
    /// Of the input and the output, and of their gradients.
    var x, y: Element
    /// Whether products are of 16-bit numbers, and so is what is the step's own: the weights that they read, and a batch norm's z.
    let isMixed: Bool

    /// Of steps in single precision, and of kernels that know nothing of maps.
    package static let single = NumberFormats(x: .float32, y: .float32, isMixed: false)

    /// All that there are.
    package static let all =
        [single]
        + [Element.float32, .bfloat16].flatMap { x in
            [Element.float32, .bfloat16].map { NumberFormats(x: x, y: $0, isMixed: true) }
        }

    /// Of the same step's kernels that go from its output to its input.
    var reversed: NumberFormats { NumberFormats(x: y, y: x, isMixed: isMixed) }

    /// Of what is the step's own.
    var own: Element { isMixed ? .bfloat16 : .float32 }

    /// The same where z is in the output's place.
    var withOwnOutput: NumberFormats { NumberFormats(x: x, y: own, isMixed: isMixed) }

    /// What the kernels' text is compiled with.
    var options: String { " -DX_BITS=\(x.size * 8) -DY_BITS=\(y.size * 8) -DMIXED=\(isMixed ? 1 : 0)" }
}

extension PlannedStep {
    var formats: NumberFormats {
        let isMixed =
            switch operation {
            case .convolution, .linear: precision == .bf16
            default: input.element == .bfloat16 || output.element == .bfloat16
            }
        return NumberFormats(x: input.element, y: output.element, isMixed: isMixed)
    }
}

/// A kernel by its name, for some number formats.
package struct Kernel: Hashable, ExpressibleByStringLiteral {
    let name: String
    let formats: NumberFormats

    package init(_ name: String, _ formats: NumberFormats) {
        self.name = name
        self.formats = formats
    }

    /// One that knows nothing of maps.
    package init(stringLiteral name: String) { self.init(name, .single) }
}
