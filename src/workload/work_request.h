// What one request to /work asks for.
#pragma once
