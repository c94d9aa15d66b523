package transfer

import (
	"github.com/distribution/reference"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/config"
)

// Auth returns the header with the credentials of the registry that image lies in.
func Auth(a *cli.App, image string) (string, error) {
	ref, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "", err
	}
	c, err := a.Config().Credentials(reference.Domain(ref))
	if err != nil {
		return "", err
	}
	return config.Encode(c)
}
