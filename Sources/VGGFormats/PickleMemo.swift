/// What a pickle remembers by number. Python counts them up, so that an array holds them; any others are in a dictionary.
struct PickleMemo {
    private var values: [PickleValue] = []
    private var others: [Int: PickleValue] = [:]

    var count: Int { values.count + others.count }

    subscript(key: Int) -> PickleValue? {
        get { values.indices.contains(key) ? values[key] : others[key] }
        set {
            if values.indices.contains(key) {
                values[key] = newValue ?? .none
            } else if key == values.count, let newValue {
                values.append(newValue)
                others[key] = nil
            } else {
                others[key] = newValue
            }
        }
    }
}
