// Package upper reads the upper directory of an overlay file system as what it stands for: changes to the layers below
// (Documentation/filesystems/overlayfs.rst). [Tree.Changes] lists them, [Tree.Archive] writes them as a layer
// (https://github.com/opencontainers/image-spec/blob/main/layer.md), the same bytes for the same changes.
//
// A root file system that is a copy, for want of overlays, is compared with what it was made from instead.
//
// A container may be at work in the directory, and may have made what it holds to mislead: each name is opened in its
// directory's descriptor, links are never followed.
package upper
