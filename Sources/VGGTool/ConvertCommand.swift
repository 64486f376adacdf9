import ArgumentParser
import Foundation
import VGGKit

extension WeightNaming: ExpressibleByArgument {}

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Write weights as safetensors or as an ONNX model.",
        discussion: """
            Reads safetensors and PyTorch's .pth with the names of torchvision, timm or d2l.ai, recognised by \
            what is in the file. Which VGG it is, its classes and input channels are found by the tensors' shapes.
            Examples:
              vgg convert vgg16-397923af.pth vgg16.safetensors
              vgg train --recipe quick --run-dir runs/quick
              vgg convert runs/quick model.onnx
              vgg convert runs/quick model.safetensors --naming d2l
              vgg convert a.pth a.safetensors --mean 0.49,0.48,0.45 --std 0.25,0.24,0.26
              vgg convert b.pth b.safetensors --preprocessing caffe --labels names.txt
              vgg convert runs/quick small.safetensors --dtype fp16

            How pictures are prepared and what the classes are called is stored in what is written, which then needs \
            no such options.
            """)

    @Argument(help: TrainedModelOptions.help)
    var input: String

    @Argument(help: "The file to write; its ending, .safetensors or .onnx, says the format.")
    var output: String

    @OptionGroup var weights: WeightsOptions

    @Option(help: "Whose names the tensors get: torchvision (the default), timm or d2l; not for ONNX.")
    var naming: WeightNaming?

    /// The value of --dtype.
    enum NumberFormat: String, ExpressibleByArgument, CaseIterable {
        case fp32, fp16, bf16

        var type: ElementType {
            switch self {
            case .fp32: .float32
            case .fp16: .float16
            case .bf16: .bfloat16
            }
        }
    }

    @Option(
        help: """
            The number format of the tensors: fp32 (the default), or 16 bits for a file of half the size, of which fp16 loses \
            less; not for ONNX. Biases and batch norm's numbers stay fp32.
            """)
    var dtype: NumberFormat?

    @OptionGroup(title: "Model (default: what the run, or the file, says)")
    var model: ModelOptions

    @OptionGroup(title: "Model (default: what the run, or the file, says)")
    var head: HeadOptions

    @Option(
        parsing: .unconditional,
        help: "The width and height of the images, in pixels (default: what the run, or the file, says).")
    var size: Int?

    @OptionGroup(title: "Photos and classes") var preparation: PreparationOptions
    @OptionGroup(title: "Photos and classes") var labels: LabelOptions

    @OptionGroup var format: FormatOption

    /// What was written, for programs.
    private struct Report: Encodable {
        var output: String
        var tensors: Int
        var parameters: Int
        /// nil without a classifier.
        var classes: Int?
    }

    private enum OutputKind: String {
        case safetensors, onnx
    }

    private var kind: OutputKind? { OutputKind(rawValue: (output as NSString).pathExtension.lowercased()) }

    func validate() throws {
        guard let kind else {
            throw ValidationError("\(output) must end in .safetensors or .onnx, which says what is written")
        }
        guard kind == .safetensors || naming == nil else {
            throw ValidationError("--naming is for .safetensors; an ONNX model has torchvision's names")
        }
        guard kind == .safetensors || dtype == nil else {
            throw ValidationError("--dtype is for .safetensors; an ONNX model has numbers of 32 bits")
        }
        try preparation.validate(size: size)
    }

    func run() throws {
        let trained = try weights.read(input, convArch: model.rows)
        try OutputCheck.check(output, reading: [trained.path])
        var belonging = trained.stored ?? StoredModel(model: ModelSpecification(), size: 224)
        belonging.model = head.applied(to: try model.specification(of: trained))
        belonging.size = size ?? belonging.size
        belonging.labels = try labels.classNames(for: trained, belonging.model)?.names
        if preparation.isGiven {
            belonging.preprocessing = try preparation.preprocessing(
                of: trained, channels: belonging.model.inChannels, size: size)
        } else if let size {
            belonging.preprocessing = try ValidationError.wrapping {
                try belonging.preprocessing?.resized(to: size)
            }
        }
        // As everywhere, how pictures are prepared says what the network is shown.
        belonging.size = belonging.preprocessing?.size ?? belonging.size
        let network = try belonging.model.network(size: belonging.size)
        switch kind {
        case .safetensors?:
            try trained.writeSafetensors(
                network, belonging, naming: naming ?? .torchvision, as: dtype?.type ?? .float32,
                adding: trained.training?.metadata ?? [:], to: output)
        case .onnx?: try trained.writeONNX(network, belonging, to: output)
        case nil: return
        }
        let report = Report(
            output: output, tensors: network.parameters.count, parameters: network.parameterCount,
            classes: network.head == nil ? nil : belonging.model.classes)
        switch format.format {
        case .json: try Console.print(json: report)
        case .text:
            Console.error(
                "wrote \(output): \(Text.count(report.tensors, "tensor")), "
                    + "\(ReadableNumber.grouped(report.parameters)) parameters, "
                    + (report.classes.map { Text.count($0, "class", plural: "classes") } ?? "no classifier"))
        }
    }
}
