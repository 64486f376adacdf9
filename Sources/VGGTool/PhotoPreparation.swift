import ArgumentParser
import VGGKit

/// How photos can be prepared, by name.
enum PhotoPreparation: String, ExpressibleByArgument, CaseIterable {
    case imagenet, caffe, plain

    /// - Parameters:
    ///   - size: of a plain preparation.
    ///   - channels: the network's input channels: 1 for grey.
    /// - Throws: `PreprocessingError` if the size is out of range.
    func preprocessing(size: Int, channels: Int) throws -> Preprocessing {
        switch self {
        case .imagenet: .imageNet
        case .caffe: .caffe
        case .plain: try .plain(size, channels: channels == 1 ? .grey : .rgb)
        }
    }
}
