// Module: a network or a part of one. Its property names are its weights' names.

/// A part of a network that holds weights, buffers and other modules.
///
/// What a module holds is found by reflection: stored properties of type ``Parameter``, ``Buffer``,
/// ``Module``, their optionals, and arrays of parameters or modules. A property `toRGB` gives the key
/// `to_rgb`, an array `blocks` the keys `blocks.0`, `blocks.1`, so that a state dictionary has PyTorch's
/// names.
open class Module {
  /// Whether the module trains: dropout drops and batch normalisation uses the batch's statistics.
  public private(set) var isTraining = true

  /// A module in training mode.
  public init() {}

  /// The weights of this network as its authors or others publish them, under this module's names.
  /// - Parameter published: tensors by the names in their file.
  /// - Returns: the same tensors by this module's names; as they are where the module knows no other layout.
  open func renamed(_ published: [String: Tensor]) -> [String: Tensor] { published }

  /// The modules held directly, by key, in the order of declaration.
  open var children: [(key: String, module: Module)] {
    members.flatMap { member -> [(String, Module)] in
      switch member.value {
      case let module as Module: [(member.key, module)]
      case let modules as [Module]: modules.enumerated().map { ("\(member.key).\($0.offset)", $0.element) }
      default: []
      }
    }
  }

  /// The weights of this module and all below it, by key, such as `blocks.0.conv1.weight`.
  public var namedParameters: [(key: String, parameter: Parameter)] {
    members.flatMap { member -> [(String, Parameter)] in
      switch member.value {
      case let parameter as Parameter: [(member.key, parameter)]
      case let list as [Parameter]: list.enumerated().map { ("\(member.key).\($0.offset)", $0.element) }
      default: []
      }
    }
      + children.flatMap { child in
        child.module.namedParameters.map { ("\(child.key).\($0.key)", $0.parameter) }
      }
  }

  /// The buffers of this module and all below it, by key.
  public var namedBuffers: [(key: String, buffer: Buffer)] {
    members.compactMap { member in (member.value as? Buffer).map { (member.key, $0) } }
      + children.flatMap { child in child.module.namedBuffers.map { ("\(child.key).\($0.key)", $0.buffer) } }
  }

  /// The weights of this module and all below it.
  public var parameters: [Parameter] { namedParameters.map(\.parameter) }

  /// The number of trainable values.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// This module and all below it.
  public var modules: [Module] { [self] + children.flatMap { $0.module.modules } }

  /// Switches training mode here and below.
  public func train(_ training: Bool = true) { modules.forEach { $0.isTraining = training } }

  /// Switches training mode off here and below.
  public func evaluate() { train(false) }

  /// Whether autograd follows the weights.
  public func requireGradients(_ required: Bool) { parameters.forEach { $0.requiresGrad = required } }

  /// Forgets accumulated gradients.
  public func zeroGradients() { parameters.forEach { $0.gradient = nil } }

  /// Moves weights and buffers to a device, in place.
  public func move(to device: Device) {
    for tensor in tensors where tensor.device != device { tensor.replaceData { $0.to(device) } }
  }

  /// Converts weights and floating-point buffers to an element type, in place.
  public func convert(to dtype: DType) {
    for tensor in tensors where tensor.dtype.isFloatingPoint { tensor.replaceData { $0.to(dtype) } }
  }

  /// Lays the 4-D weights out in a memory format, in place.
  public func layOut(_ format: Tensor.MemoryFormat) {
    for parameter in parameters where parameter.rank == 4 { parameter.replaceData { $0.contiguous(format) } }
  }

  private var tensors: [Tensor] { parameters + namedBuffers.map(\.buffer) }

  private var members: [(key: String, value: Any)] {
    var mirrors: [Mirror] = []
    var mirror: Mirror? = Mirror(reflecting: self)
    while let current = mirror, current.subjectType != Module.self {
      mirrors.append(current)
      mirror = current.superclassMirror
    }
    return mirrors.reversed().flatMap(\.children).compactMap { child in
      child.label.map { (snakeCase($0), unwrapped(child.value)) }
    }
  }
}

/// `runningMean` → `running_mean`, `toRGB` → `to_rgb`, `RGBToGray` → `rgb_to_gray`, `conv0` → `conv0`.
public func snakeCase(_ name: String) -> String {
  let characters = Array(name)
  return characters.indices.map { i in
    let beginsWord =
      i > 0 && characters[i].isUppercase
      && (!characters[i - 1].isUppercase || characters[(i + 1)...].first?.isLowercase == true)
    return (beginsWord && characters[i - 1] != "_" ? "_" : "") + characters[i].lowercased()
  }
  .joined()
}

private func unwrapped(_ value: Any) -> Any {
  let mirror = Mirror(reflecting: value)
  guard mirror.displayStyle == .optional else { return value }
  return mirror.children.first?.value ?? value
}

/// Modules applied one after the other; keys are their numbers, as in PyTorch's `nn.Sequential`.
public final class Sequential: Module, UnaryLayer {
  /// The layers in order.
  public let layers: [any UnaryLayer]

  /// Applies `layers` in order.
  public init(_ layers: [any UnaryLayer]) { self.layers = layers }

  /// Applies `layers` in order.
  public convenience init(_ layers: any UnaryLayer...) { self.init(layers) }

  public override var children: [(key: String, module: Module)] {
    layers.enumerated().compactMap { index, layer in (layer as? Module).map { ("\(index)", $0) } }
  }

  /// The last layer's output.
  public func callAsFunction(_ x: Tensor) -> Tensor { layers.reduce(x) { $1($0) } }
}

/// Something that takes one tensor and gives one.
public protocol UnaryLayer {
  /// The output for `x`.
  func callAsFunction(_ x: Tensor) -> Tensor
}

/// A function without weights as a layer of ``Sequential``.
public struct Activation: UnaryLayer {
  let function: (Tensor) -> Tensor
  /// A layer that applies `function`.
  public init(_ function: @escaping (Tensor) -> Tensor) { self.function = function }
  /// function(x).
  public func callAsFunction(_ x: Tensor) -> Tensor { function(x) }
}

extension Module {
  /// Where the weights are; the CPU for a module without any.
  public var device: Device { parameters.first?.device ?? .cpu }
}
