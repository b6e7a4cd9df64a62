#include <cstdio>
int main() { std::puts("chappe"); }
