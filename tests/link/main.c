/*
 * Link test: this empty program is linked once a layer, with the whole of the layer and only the
 * layers it may use. A call into any other layer is an undefined reference and fails the build.
 */
int main(void)
{
    return 0;
}
