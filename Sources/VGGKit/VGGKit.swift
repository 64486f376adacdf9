@_exported import VGGData
@_exported import VGGEngine
@_exported import VGGFiles
@_exported import VGGFormats
@_exported import VGGImages
@_exported import VGGModel
@_exported import VGGPictures
@_exported import VGGTraining
