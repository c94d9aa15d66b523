package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// An image for another platform is pulled, run, warned of and refused as dockerd does it. The images hold the same program,
// of this machine: only what is said of them differs.
func TestPlatformWords(t *testing.T) {
	needRoot(t)
	steps, err := readScenario("testdata/platforms.txt")
	if err != nil {
		t.Fatal(err)
	}
	registry := startRegistry(t, "")
	pushPlatforms(t, registry)
	for _, program := range []string{"docker", "dhow"} {
		t.Run(program, func(t *testing.T) {
			path := filepath.Join(programs, program)
			if program == "docker" {
				if path = dockerProgram(); path == "" {
					t.Skip("needs the docker CLI")
				}
			}
			newDaemon(t).replayAt(t, steps, path, []string{"R", registry})
		})
	}
}

// pushPlatforms puts images amd64 and arm64 into a registry, of one platform each, and the lists both and arm of them.
func pushPlatforms(t *testing.T, registry string) {
	t.Helper()
	d := newDaemon(t)
	d.load(t)
	root := filepath.Join(d.Dir, "root.tar")
	d.must(t, "create", "--name", "root", "busybox")
	d.must(t, "export", "-o", root, "root")
	var all []ocispec.Descriptor
	for _, arch := range []string{"amd64", "arm64"} {
		ref := registry + "/all:" + arch
		d.must(t, "import", "--platform", "linux/"+arch, "-c", fmt.Sprintf(`CMD ["echo","for %s"]`, arch), root, ref)
		d.must(t, "push", "-q", ref)
		all = append(all, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Platform: &ocispec.Platform{OS: "linux", Architecture: arch}})
		describeManifest(t, "http://"+registry+"/v2/all/manifests/"+arch, &all[len(all)-1])
	}
	putIndex(t, "http://"+registry+"/v2/all/manifests/both", all)
	putIndex(t, "http://"+registry+"/v2/all/manifests/arm", all[1:])
}

// describeManifest fills in size and digest of a manifest that a registry has.
func describeManifest(t *testing.T, url string, desc *ocispec.Descriptor) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", desc.MediaType)
	text := ask(t, request)
	desc.Size, desc.Digest = int64(len(text)), digest.FromBytes(text)
}

func putIndex(t *testing.T, url string, list []ocispec.Descriptor) {
	t.Helper()
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: list}
	index.SchemaVersion = 2
	text, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPut, url, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", index.MediaType)
	ask(t, request)
}

func ask(t *testing.T, request *http.Request) []byte {
	t.Helper()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %s: %s (%v)", request.Method, request.URL, answer.Status, text, err)
	}
	return text
}
