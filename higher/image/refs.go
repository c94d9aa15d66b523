package image

import (
	"fmt"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/distribution/reference"
	digest "github.com/opencontainers/go-digest"
)

// dangling is the name of an image that has none: the record that keeps it.
const dangling = "dangling@"

func danglingName(d digest.Digest) string { return dangling + d.String() }
func isDangling(name string) bool         { return strings.HasPrefix(name, dangling) }

// parseRef reads a name as users write it; the tag is not added.
func parseRef(name string) (reference.Named, error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return nil, api.Errorf(errdefs.ErrInvalidArgument, "invalid reference format: %v", strings.TrimPrefix(err.Error(), "invalid reference format: "))
	}
	return named, nil
}

// familiar is an image's name in short form: without the default registry; its digest if it has none.
func familiar(img images.Image) string {
	if isDangling(img.Name) {
		return img.Target.Digest.String()
	}
	if named, err := reference.ParseNormalizedNamed(img.Name); err == nil {
		return reference.FamiliarString(named)
	}
	return img.Name
}

// recordName is the name under which a reference is recorded: with tag and digest, only by digest.
func recordName(named reference.Named) string {
	if d, ok := named.(reference.Digested); ok {
		if digested, err := reference.WithDigest(reference.TrimNamed(named), d.Digest()); err == nil {
			return digested.String()
		}
	}
	return reference.TagNameOnly(named).String()
}

// short is a digest as in lists.
func short(d digest.Digest) string {
	encoded := d.String()
	if _, hex, ok := strings.Cut(encoded, ":"); ok {
		encoded = hex
	}
	return encoded[:min(12, len(encoded))]
}

// noImage is Docker's error for a name that no image has.
func noImage(name string) error {
	if isHex(strings.TrimPrefix(name, "sha256:")) && strings.HasPrefix(name, "sha256:") {
		return api.Errorf(errdefs.ErrNotFound, "No such image: %s", name)
	}
	if named, err := reference.ParseNormalizedNamed(name); err == nil {
		name = reference.FamiliarString(reference.TagNameOnly(named))
	}
	return api.Errorf(errdefs.ErrNotFound, "No such image: %s", name)
}

func isHex(s string) bool {
	return s != "" && strings.Trim(s, "0123456789abcdef") == ""
}

// idPrefix returns the hexadecimal part of what may be the beginning of an id, or "".
func idPrefix(name string) string {
	hex := strings.TrimPrefix(name, "sha256:")
	if n := len(hex); n < 4 && !strings.HasPrefix(name, "sha256:") || n > 64 || !isHex(hex) {
		return ""
	}
	return hex
}

// repoNames are the names and digests of an image's records, as lists tell them.
func repoNames(records []images.Image) (tags, digests []string) {
	tags, digests = []string{}, []string{}
	seen := map[string]bool{}
	for _, r := range records {
		named, err := reference.ParseNormalizedNamed(r.Name)
		if isDangling(r.Name) || err != nil {
			continue
		}
		if _, ok := named.(reference.Tagged); ok {
			tags = append(tags, reference.FamiliarString(named))
		}
		by := fmt.Sprintf("%s@%s", reference.FamiliarName(named), r.Target.Digest)
		if !seen[by] {
			seen[by] = true
			digests = append(digests, by)
		}
	}
	return tags, digests
}
