// A slow copy of a network: the exponential moving average of its weights.

/// Keeps `average` close to `source`: average ← decay · average + (1 − decay) · source.
public final class ExponentialMovingAverage<Network: Module> {
  /// The slow copy.
  public let average: Network
  private let source: Network

  /// Starts `average`, a network of the same architecture, as a copy of `source`; it is not trained.
  public init(of source: Network, in average: Network) throws {
    (self.source, self.average) = (source, average)
    average.requireGradients(false)
    try average.load(source.stateDict)
  }

  /// Moves the average towards the source; buffers are copied.
  public func update(decay: Double) {
    withoutGradients {
      torchEffect(
        "_foreach_lerp_.Scalar", .tensors(average.parameters), .tensors(source.parameters), .double(1 - decay)
      )
      for (mine, theirs) in zip(average.namedBuffers, source.namedBuffers) {
        mine.buffer.copy(from: theirs.buffer)
      }
    }
  }
}
