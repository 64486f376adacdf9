import Testing
import VGGEngine
import VGGFormats
import VGGModel
import VGGTestSupport

/// The loss of smoothed targets, weighted classes and mixed images, as torch and timm have it (Scripts/goldens/loss.py).
@Suite struct CrossEntropyTests {
    enum Case: String, CaseIterable { case plain, weighted, mixed }

    private let file = Result { try golden("loss") }

    private func tensor(_ name: String) throws -> Tensor { try #require(file.get().tensors[name], "\(name)") }

    /// A linear layer, with the goldens' weights.
    private func executor(_ device: Device) throws -> Executor {
        let (batch, features) = (try tensor("input").shape[0], try tensor("input").shape[1])
        let network = try Network(
            input: .map(channels: features, height: 1, width: 1),
            blocks: [.sequential([.flatten, .linear(Linear(features, try tensor("bias").shape[0]))])])
        let executor = try Executor(
            plan: Plan(network, batchSize: batch, mode: .training), device: device)
        let name = try #require(network.head?.name)
        try executor.load(["\(name).weight": tensor("weight"), "\(name).bias": tensor("bias")])
        return executor
    }

    private func images(_ executor: Executor, mixed: Bool = false) throws -> ImageBatch {
        let labels = try tensor("labels").values.map { Int32($0) }
        let partners = try zip(labels.reversed(), tensor("own_share").values)
            .map { MixingPartner(label: $0, share: 1 - $1) }
        return try ImageBatch(
            Array(tensor("input").values), count: labels.count, shape: executor.plan.network.input,
            labels: labels, partners: mixed ? partners : nil)
    }

    @Test(arguments: TestedDevice.allAndReference, Case.allCases)
    func isTorchs(on tested: TestedDevice, _ example: Case) throws {
        let executor = try executor(tested.device)
        let images = try images(executor, mixed: example == .mixed)
        for smoothing: Float in [0, 0.1, 0.75] {
            let name = "\(example) \(smoothing)"
            let weights = example == .weighted ? try Array(tensor("class_weights").values) : nil
            let metrics = executor.backward(
                images, loss: CrossEntropy(smoothing: smoothing, classWeights: weights))
            let loss = Float(metrics.lossSum / Double(images.count))
            expectClose([loss], try tensor("\(name)/loss").values, tolerance: 1e-6, "loss, \(name)")
            for (parameter, gradient) in executor.gradientTensors {
                let part = parameter.split(separator: ".").last ?? ""
                expectClose(
                    gradient.values, try tensor("\(name)/\(part)").values, "gradient of \(parameter), \(name)"
                )
            }
        }
    }

    /// A test asks for the classes themselves; a mixed image counts as the class that has more of it.
    @Test(arguments: TestedDevice.allAndReference) func whatIsRightIsTheLargerShare(on tested: TestedDevice)
        throws
    {
        let executor = try executor(tested.device)
        let given = try images(executor)
        // Four are right.
        let logits = executor.logits(given)
        let labels = (0..<given.count).map { image in
            let row = logits[image * 5..<(image + 1) * 5]
            return Int32(
                ((row.firstIndex(of: row.max() ?? 0) ?? 0) - row.startIndex + (image < 4 ? 0 : 1)) % 5)
        }
        let plain = try ImageBatch(given.values, count: given.count, shape: given.shape, labels: labels)
        let metrics = executor.evaluate(plain)
        #expect(metrics == executor.backward(plain) && metrics.correct == 4)
        for share: Float in [0.5, 0.625] {
            // What the label is of is now the smaller part, or one of two alike.
            let swapped = try ImageBatch(
                plain.values, count: plain.count, shape: plain.shape, labels: labels.map { ($0 + 1) % 5 },
                partners: labels.map { MixingPartner(label: $0, share: share) })
            #expect(executor.backward(swapped).correct == (share > 0.5 ? 4 : 0), "\(share)")
        }
    }

    /// More classes than a group of a GPU has work-items, logits far apart, and of two that are the largest the first.
    @Test(arguments: TestedDevice.all) func manyClassesAndFarLogits(on tested: TestedDevice) throws {
        let (classes, count) = (131, 6)
        let network = try Network(
            input: .map(channels: classes, height: 1, width: 1),
            blocks: [.sequential([.flatten, .linear(Linear(classes, classes))])])
        let name = try #require(network.head?.name)
        // Of the identity, so that images are logits: some images' within 5, others' within 200.
        let identity = (0..<classes * classes).map { Float($0 % (classes + 1) == 0 ? 1 : 0) }
        var logits = (0..<count * classes).map {
            Float($0 * 37 % 101) / (($0 / classes).isMultiple(of: 2) ? 20 : 0.5)
        }
        (logits[70], logits[100]) = (9, 9)
        let images = try ImageBatch(
            logits, count: count, shape: network.input, labels: [70, 3, 0, 130, 64, 63])
        func run(on device: Device) throws -> (metrics: BatchMetrics, gradient: [Float]) {
            let executor = try Executor(
                plan: Plan(network, batchSize: count, mode: .training), device: device)
            try executor.load([
                "\(name).weight": Tensor(shape: [classes, classes], values: identity),
                "\(name).bias": Tensor(shape: [classes], values: Array(repeating: 0, count: classes)),
            ])
            let weights = (0..<classes).map { 0.5 + Float($0 % 7) }
            let metrics = executor.backward(
                images, loss: CrossEntropy(smoothing: 0.1, classWeights: weights))
            return (metrics, Array(try #require(executor.gradientTensors["\(name).bias"]).values))
        }
        let (expected, found) = (try run(on: .reference), try run(on: tested.device))
        expectClose([found.metrics.lossSum], [expected.metrics.lossSum], tolerance: 1e-6, "loss")
        expectClose(found.gradient, expected.gradient, "gradient")
        #expect(found.metrics.correct == expected.metrics.correct && expected.metrics.correct > 0)
    }

    /// Gradients of parts are parts of the gradient: the mixed batch's halves have the partners of the whole.
    @Test func partsHaveTheirPartners() throws {
        let executor = try executor(.cpu)
        let images = try images(executor, mixed: true)
        let parts = [images[0..<3], images[3..<7]]
        #expect(parts.flatMap { $0.partners ?? [] } == images.partners)
        let sum = parts.reduce(0) { $0 + executor.evaluate($1).lossSum }
        expectClose([Float(sum)], [Float(executor.evaluate(images).lossSum)], tolerance: 1e-6, "loss")
    }

    @Test func asManyPartnersAsImages() {
        #expect(throws: InputError.labels(images: 1, found: 0)) {
            try ImageBatch([0], shape: .vector(1), labels: [0], partners: [])
        }
    }
}
