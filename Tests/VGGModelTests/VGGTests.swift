import Testing
import VGGModel

@Suite struct VGGTests {
    let rows: ConvArch = [(1, 64), (1, 128), (2, 256), (2, 512), (2, 512)]

    @Test func blockIsConvolutionsWithReLUThenPool() {
        let expected: [Layer] = [
            .convolution(Convolution(3, 8, kernel: 3, stride: 1, padding: 1)), .relu,
            .convolution(Convolution(8, 8, kernel: 3, stride: 1, padding: 1)), .relu,
            .maxPool(Pool(window: 2, stride: 2)),
        ]
        #expect(vggBlock(2, 3, 8) == .sequential(expected))
        let classes = vggBlock(1, 3, 8, batchNorm: true).layers.map(\.className)
        #expect(classes == ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"])
    }

    /// What the chapter's loop `for blk in net` prints.
    @Test func printsWhatTheSeedPrints() throws {
        let network = try vgg(rows)
        let printed = network.blocks.indices.map { index in
            let output = network.layers.last { $0.block == index }!.output
            return "\(network.blocks[index].className) \(output)"
        }
        let expected = [
            "Sequential 64×112×112", "Sequential 128×56×56", "Sequential 256×28×28", "Sequential 512×14×14",
            "Sequential 512×7×7", "Flatten 25088", "Linear 4096", "ReLU 4096", "Dropout 4096", "Linear 4096",
            "ReLU 4096", "Dropout 4096", "Linear 10",
        ]
        #expect(printed == expected)
    }

    @Test func knownCounts() throws {
        let slim = ModelSpecification.slimVGG11
        #expect(try slim.network(size: 224).parameterCount == 43_093_322)
        #expect(try slim.network(size: 224).multiplyAccumulates == 512_155_648)
        #expect(try slim.network(size: 96).parameterCount == 22_121_802)
        #expect(try slim.network(size: 96).multiplyAccumulates == 107_798_528)
        #expect(try alexNet().parameterCount == 46_764_746)
    }

    @Test func anOddSizeIsRoundedDownByEveryPool() throws {
        let network = try vgg([(1, 2), (1, 3)], size: 15)
        #expect(
            network.layers.first { $0.layer == .flatten }?.input == .map(channels: 3, height: 3, width: 3))
    }

    @Test func withAdaptivePoolTheWeightsFitEverySize() throws {
        let shapes = try [32, 96, 224].map { try vgg(rows, size: $0, pool: 7).parameters }
        #expect(shapes[0] == shapes[2] && shapes[1] == shapes[2])
        #expect(try vgg(rows, size: 96).parameters != shapes[2])
    }

    @Test func dropoutSitsBetweenTheLinearLayers() throws {
        let dropouts = try vgg(rows, dropout: 0.25).layers.filter { $0.layer == .dropout(0.25) }
        #expect(dropouts.map(\.name) == ["classifier.2", "classifier.5"])
    }

    /// It ends each block, and the tensors keep torchvision's names.
    @Test func dropoutInBlocksLeavesTheNames() throws {
        let rows: ConvArch = [(1, 8), (2, 16)]
        let plain = try vgg(rows, size: 16, batchNorm: true)
        let dropped = try vgg(rows, size: 16, batchNorm: true, blockDropout: 0.1)
        #expect(dropped.parameters == plain.parameters)
        #expect(dropped.layers.filter { $0.layer == .dropout(0.1) }.map(\.block) == [0, 1])
        #expect(dropped.blocks[0].layers.last == .dropout(0.1))
        var specification = ModelSpecification(rows, batchNorm: true)
        specification.blockDropout = 0.1
        #expect(
            try specification.network(size: 16) == vgg(rows, size: 16, batchNorm: true, blockDropout: 0.1))
        specification.arch = "alexnet"
        specification.convArch = nil
        #expect(throws: ModelError.self) { try specification.network(size: 224) }
    }

    @Test(arguments: [(31, 5), (16, 5), (15, 4), (1, 1)]) func tooSmallAnInputNamesTheBlock(
        _ size: Int, _ block: Int
    ) {
        let expected = ModelError.inputTooSmall(
            input: .map(channels: 1, height: size, width: size), block: block, layer: "MaxPool2d", extent: 1,
            window: 2)
        #expect(throws: expected) { try vgg(rows, size: size) }
    }

    @Test func tooSmallAnInputSaysWhatToDo() {
        let error = #expect(throws: ModelError.self) { try vgg(rows, size: 31) }
        #expect(
            error?.description
                == "an input of 1×31×31 is too small: block 5 shrinks it to 0 (its MaxPool2d needs 2×2 and "
                + "only 1×1 is left); use a larger `size` or fewer blocks")
        let alexNetError = #expect(throws: ModelError.self) { try alexNet(size: 8) }
        #expect(alexNetError?.description.contains("its Conv2d needs 11×11 and only 10×10 is left") == true)
    }

    @Test func theSmallestInputIsOnePixelAfterTheLastPool() throws {
        #expect(try vgg(rows, size: 32).layers.first { $0.layer == .flatten }?.output == .vector(512))
    }
}
