package libseccomp

import (
	"fmt"
	"runtime"

	lib "github.com/seccomp/libseccomp-golang"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/compiled"
)

// Identity names everything but the profile that decides the result of Compile, save for the code of
// this package itself.
func Identity() string {
	major, minor, micro := lib.GetLibraryVersion()
	return fmt.Sprintf("dhow-seccomp/%d libseccomp/%d.%d.%d api/%d %s",
		compiled.Version, major, minor, micro, apiLevel, runtime.GOARCH)
}
