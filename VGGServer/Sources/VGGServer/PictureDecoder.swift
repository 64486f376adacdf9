import Foundation
import VGGImages
import VGGModel

/// Decodes and prepares pictures on threads of its own, a few at once: a picture may take a second and half a gigabyte,
/// and nothing else shall wait for it.
final class PictureDecoder: Sendable {
    private let queue: OperationQueue

    init(atOnce count: Int) {
        queue = OperationQueue()
        queue.maxConcurrentOperationCount = count
        queue.qualityOfService = .userInitiated
    }

    /// The network's input for the bytes of a JPEG, PNG or WebP file.
    /// - Throws: as `decoding`.
    func input(from bytes: [UInt8], _ preprocessing: Preprocessing, by deadline: ContinuousClock.Instant)
        async throws -> ImageBatch
    {
        try await decoding(bytes, alpha: Preparation(preprocessing).alpha, by: deadline) {
            preprocessing.input(from: $0)
        }
    }

    /// What is made of the picture that a JPEG, PNG or WebP file has.
    /// - Throws: `APIError` if the bytes are no such picture, or it is too late; `CancellationError`; or what `make` throws.
    func decoding<Made: Sendable>(
        _ bytes: [UInt8], alpha: RGBImage.Alpha = .dropped, by deadline: ContinuousClock.Instant,
        _ make: @escaping @Sendable (RGBImage) throws -> Made
    ) async throws -> Made {
        try await inTurn(by: deadline) { [queue] in
            queue.addOperation($0)
        } _: {
            do {
                return try make(RGBImage(decoding: bytes, alpha: alpha))
            } catch let error as ImageError {
                throw APIError.invalid("picture: \(error)")
            }
        }
    }
}
