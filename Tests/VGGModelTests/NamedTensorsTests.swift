import Testing
import VGGModel

@Suite struct NamedTensorsTests {
    private func scalar(_ value: Float) -> Tensor { Tensor(shape: [], values: [value]) }

    @Test func keepTheOrderTheyCameIn() {
        var tensors: NamedTensors = ["b": scalar(1), "a": scalar(2), "c": scalar(3)]
        #expect(tensors.names == ["b", "a", "c"] && tensors.map(\.tensor.values[0]) == [1, 2, 3])
        tensors["b"] = scalar(4)
        tensors["a"] = nil
        tensors["d"] = nil
        tensors["a"] = scalar(5)
        #expect(tensors.map(\.name) == ["b", "c", "a"] && tensors.map(\.tensor.values[0]) == [4, 3, 5])
        #expect(tensors.count == 3 && tensors.dictionary["a"] == scalar(5) && tensors["d"] == nil)
        #expect(NamedTensors(sorting: tensors.dictionary).names == ["a", "b", "c"])
    }
}
