package image

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/dhow-containers/dhow/higher/image/hello"
	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// isHello says whether a name is that of the image that is built in.
func isHello(named reference.Named) bool {
	return named.String() == "docker.io/library/hello-world:latest"
}

// embedded makes the image that is built in, when no registry can be reached for it; cause is why. It takes no name away
// from another image. That it is there already is no error: of two clients that want it at the same time, both get it.
func (pl *pull) embedded(ctx context.Context, named reference.Named, cause error) error {
	program := hello.Program(runtime.GOARCH)
	if program == nil {
		return fmt.Errorf("cannot pull %s: no registry answers, and there is none built in for %s", reference.FamiliarString(named), runtime.GOARCH)
	}
	ctx, release, err := pl.m.hold(ctx, false)
	if err != nil {
		return err
	}
	defer release()
	img := newMade(nil)
	img.config.Config.Cmd = []string{"/hello"}
	img.config.Config.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	l, err := pl.m.storePlain(ctx, bytes.NewReader(oneFile("hello", program)))
	if err != nil {
		return err
	}
	made := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC) // the same image each time
	img.add(l, ocispec.History{Created: &made, CreatedBy: "dhow", Comment: "built into dhowd"})
	target, err := pl.m.store(ctx, img)
	if err != nil {
		return err
	}
	status := "Downloaded newer image"
	if record, err := pl.m.images.Get(ctx, named.String()); err == nil && record.Target.Digest != target.Digest {
		return pullError(named, unresolved(named, cause))
	} else if err == nil {
		status = "Image is up to date"
	} else if _, err := pl.m.name(ctx, named.String(), target); err != nil {
		return err
	}
	pl.t.message(tagOf(named), "No registry answers: taking the image that is built in")
	pl.t.message("", "Digest: "+target.Digest.String())
	pl.t.message("", "Status: "+status+" for "+reference.FamiliarString(named))
	pl.pulled(ctx, named)
	return nil
}

// oneFile is an archive of one executable file.
func oneFile(name string, body []byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(body)), ModTime: time.Unix(0, 0)})
	_, _ = w.Write(body)
	_ = w.Close()
	return b.Bytes()
}
